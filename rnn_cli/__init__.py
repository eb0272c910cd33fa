"""`rnn`: train, evaluate and use recurrent text classifiers. See `rnn --help`."""

from rnn_cli.system import report_to_nobody

__version__ = "0.1.0"
"""The release; packaging reads it from here."""

report_to_nobody()
