"""What a model is and how good it is, told to people: the report, its charts and the model card.

Knows nothing of TensorFlow or Click, and measures nothing anew that `evaluation` has measured.
"""

import logging

# Before matplotlib loads: where it keeps what it knows of fonts is nothing to tell in the middle of a run.
logging.getLogger("matplotlib").setLevel(logging.ERROR)
