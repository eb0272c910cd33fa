"""The schema of a config, and its reading and writing as YAML with overrides. Knows nothing of how it is used."""
