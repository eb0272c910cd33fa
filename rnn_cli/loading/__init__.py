"""YAML and overrides to a `Config`, and back. Knows nothing of what a config is for, nor of the terminal."""

from rnn_cli.loading.keys import Key, key_table
from rnn_cli.loading.load import load_config, parse_config, stored_config, to_yaml
from rnn_cli.loading.recipes import recipes

__all__ = ["Key", "key_table", "load_config", "parse_config", "recipes", "stored_config", "to_yaml"]
