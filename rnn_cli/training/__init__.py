"""One run from labelled rows to a bundle; loads TensorFlow."""

from rnn_cli.system import leave_home_alone

leave_home_alone()
