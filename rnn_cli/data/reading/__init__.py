"""A file to rows, whatever its format, compression and encoding, strictly, one by one. Knows no built-in sets."""
