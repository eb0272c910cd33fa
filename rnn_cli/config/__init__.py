"""The typed shape of a config, and YAML and overrides to it and back. Knows nothing of what a config is for."""
