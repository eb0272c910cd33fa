"""One run from labelled rows to a bundle. The only room that loads TensorFlow."""
