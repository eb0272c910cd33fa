"""Transfer learning: what a trained model, the base, tells of texts, and how new labels are learned from that."""
