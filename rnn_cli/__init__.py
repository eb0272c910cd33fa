"""`rnn`: train, evaluate and use recurrent text classifiers. See `rnn --help`."""

__version__ = "0.1.0"
"""The release; packaging reads it from here."""
