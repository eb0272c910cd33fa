"""Linear models of labels: their features and their fits."""
