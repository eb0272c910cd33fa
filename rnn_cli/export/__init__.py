"""A trained model as a folder that needs neither rnn nor TensorFlow."""
