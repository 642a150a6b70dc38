// The build copies ONNX Runtime Web under this name; these are its types.
export * from "onnxruntime-common";
