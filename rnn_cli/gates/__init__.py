"""Gates: what a model must reach before it goes to work, checked and reported for a build server."""
