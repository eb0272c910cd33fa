"""Labelled rows: strict readers, built-in sets, splits. Knows nothing of tokens, networks or Click."""
