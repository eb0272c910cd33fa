"""Reads the rows of a file of any format, compression and encoding, strictly. Knows no built-in sets."""
