"""A search over configs for rows of one kind: which to try next, until when, and which one to keep."""
