"""How good predictions are. Knows nothing of TensorFlow or Click."""
