"""Runs told to a tracker: MLflow or TensorBoard, each by its own library."""
