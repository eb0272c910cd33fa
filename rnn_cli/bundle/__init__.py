"""A trained model's folder: the names of its files, and how they are written, verified and read."""
