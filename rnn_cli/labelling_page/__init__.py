"""A sitting on a page of a browser on this machine."""
