"""A look inside: tokens, vectors, states, gradients, and what a trained model is. Prints nothing."""

from rnn_cli.system import leave_home_alone

leave_home_alone()
