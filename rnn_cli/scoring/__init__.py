"""Texts to predictions on ONNX Runtime. Knows nothing of TensorFlow, training or Click."""
