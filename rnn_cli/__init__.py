"""`rnn`: train, evaluate and use recurrent text classifiers. See `rnn --help`."""

from rnn_cli.system import report_to_nobody

report_to_nobody()
