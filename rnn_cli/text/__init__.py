"""The Tokenizer: texts to ids. Knows nothing of files of rows, of labels or of Keras."""
