"""Linear models of labels: what their fits share."""
