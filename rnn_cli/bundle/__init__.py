"""A trained model's folder: its files' names, and how they are written, verified and read.

Knows nothing of what the files mean to the other rooms.
"""
