"""One run from labelled rows to a bundle. The only room that loads TensorFlow."""

from rnn_cli.system import leave_home_alone

leave_home_alone()
