"""`rnn`: train, evaluate and use recurrent text classifiers. See `rnn --help`."""
