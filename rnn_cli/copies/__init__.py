"""When two texts are the same: what a word is for that, nearly equal texts, and texts that a model learned from."""
