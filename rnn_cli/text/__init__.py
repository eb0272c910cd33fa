"""Texts to ids: the Tokenizer. Knows nothing of files of rows, of labels or of Keras."""
