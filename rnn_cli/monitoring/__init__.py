"""Whether new texts are still such as a model was trained on."""
