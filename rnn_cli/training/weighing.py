"""How much say a network and its n-gram part have in the prediction: chosen on the validation rows.

Training leaves their logits averaged. With few rows the network knows less than the n-grams do, with many more.
"""

import keras
import numpy as np

from rnn_cli.arrays import Floats
from rnn_cli.bundle.model_folder import ONNX_MODEL
from rnn_cli.graph import read_graph
from rnn_cli.network.build import LOGITS, NGRAM_LOGITS
from rnn_cli.network.onnx_export import to_onnx
from rnn_cli.training.numbers import mixed_of_numbers
from rnn_cli.training.prepare import Prepared
from rnn_cli.training.several import mixed_of_each
from rnn_cli.transfer.features import read_features
from rnn_cli.transfer.stacking import mixed

EVENLY = 0.5


def weigh(model: keras.Model, run: Prepared) -> Floats:
    """Give both parts of a trained network with n-grams their weights, by which their logits are multiplied: `[2]`.

    They minimize the log loss of the validation rows, of numbers the squared error, with a penalty that keeps them near
    the average where these are few. The model's last layers hold them.
    """
    file, rows = to_onnx(model, run.config.model), run.validation
    graph = read_graph(file, ONNX_MODEL)
    _, network, ngrams = read_features(file, graph, ONNX_MODEL, rows.sequences, columns=rows.columns)
    parts = [network.astype(np.float64), ngrams.astype(np.float64)]
    prior = np.full(2, EVENLY)
    of_rows = rows.weights.astype(np.float64)
    if rows.values is not None:
        numbers = [part[:, -1] for part in parts]  # the first of two labels has a zero
        weights = mixed_of_numbers(numbers, rows.values.astype(np.float64), of_rows, prior)
    elif rows.classes.ndim == 2:
        weights = mixed_of_each(parts, rows.classes, of_rows, prior)
    else:
        weights, _ = mixed(parts, rows.classes, of_rows, prior, biased=False)
    for name, weight in zip((LOGITS, NGRAM_LOGITS), weights, strict=True):
        layer = model.get_layer(name)
        layer.set_weights([each * (weight / EVENLY) for each in layer.get_weights()])
    return weights
