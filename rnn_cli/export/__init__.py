"""A trained model as a folder that needs neither rnn nor TensorFlow. Knows nothing of training or of Click."""
