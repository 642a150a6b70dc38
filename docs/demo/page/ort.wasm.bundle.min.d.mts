// The build copies ONNX Runtime under this name; these are its types.
export * from "onnxruntime-common";
