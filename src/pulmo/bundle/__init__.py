"""The bundle: what ships. One ONNX network, its card, and the predictor that runs them."""
