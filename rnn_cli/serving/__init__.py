"""`rnn serve`: predictions over HTTP."""
