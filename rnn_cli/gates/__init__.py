"""Gates: the thresholds a model must reach before it is used, checked and reported for a build server."""
