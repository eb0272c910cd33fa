"""What a model is and how good it is, shown to people: the report, its charts and the model card.

Uses the metrics of `evaluation`; knows nothing of TensorFlow or Click.
"""

from rnn_cli.system import leave_home_alone

leave_home_alone()
