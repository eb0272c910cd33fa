"""A look inside: what a tokenizer reads, what an embedding has learned, what a gradient has left.

Answers figures and files; knows nothing of Click, and prints nothing.
"""

from rnn_cli.system import leave_home_alone

leave_home_alone()
