"""The commands of `rnn`: each parses, calls one worker and prints. Nothing else in the package prints."""
