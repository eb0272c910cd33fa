"""What a notebook or a program calls. Knows nothing of the terminal, prints nothing and ends no process."""

from os import PathLike, fspath

from rnn_cli.bundle.model_folder import locate
from rnn_cli.scoring.predictor import Precision, Predictor


def load(
    path: str | PathLike[str] | None = None, *, threads: int | None = None, precision: Precision = "fp32"
) -> Predictor:
    """A trained classifier, ready to predict: the folder `path`, else RNN_MODEL's, else the newest run in runs/.

    It uses at most `threads` cores, None for all. Loads no TensorFlow. Raises `BundleError` where there is no model, or
    one that is damaged.
    """
    return Predictor.open(locate(path if path is None else fspath(path)), threads=threads, precision=precision)
