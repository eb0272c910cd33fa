"""What a model is and how good it is, told to people: the report, its charts and the model card.

Knows nothing of TensorFlow or Click, and measures nothing anew that `evaluation` has measured.
"""

from rnn_cli.system import leave_home_alone

leave_home_alone()
