"""A look inside: what a tokenizer reads, what an embedding has learned, what a gradient has left.

Answers figures and files; knows nothing of Click, and prints nothing.
"""
