"""The n-gram part of a network that predicts numbers: ridge regression, fitted before the network. Takes no TensorFlow.

Scales each n-gram by the root of how far from the mean the numbers of the texts that hold it are. On held-out reviews
and sentences that explained as much of the numbers as other scales did (R² within 0.01), and took half the time.

Source: Hoerl and Kennard (1970), Ridge regression: biased estimation for nonorthogonal problems; the scales follow Wang
and Manning (2012), Baselines and bigrams, with means in the place of log-count ratios.
"""

from itertools import count

import numpy as np
from scipy import sparse
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from rnn_cli.arrays import Floats, Floats32
from rnn_cli.config.schema import ModelConfig
from rnn_cli.training.encoding import Encoded
from rnn_cli.training.loop import NEAR_SHARE
from rnn_cli.training.ngrams import LinearModel, OnProgress, counts_of_ngrams

NUMBER_PENALTIES = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003)
"""The penalties of a weight's square that are tried; the validation rows choose."""

MOST_CG_STEPS, STEP_TOLERANCE = 100, 1e-4
"""Of conjugate gradients."""


def fit_linear_numbers(
    config: ModelConfig, train: Encoded, validation: Encoded, *, vocab_size: int, on_progress: OnProgress
) -> LinearModel:
    """Fit to the standardised numbers of the training rows; the penalty is that of the least validation error.

    `val_accuracy` is the share of validation rows that are `NEAR_SHARE`.
    """
    assert train.values is not None and validation.values is not None
    seen, held_out = (counts_of_ngrams(config, each.sequences, vocab_size) for each in (train, validation))
    used = np.flatnonzero(np.bincount(seen.indices, minlength=seen.shape[1]))
    counts, checks = seen[:, used], held_out[:, used]
    truth, wanted = train.values.astype(np.float64), validation.values.astype(np.float64)
    scales = np.sqrt(np.abs(_means(counts, truth)))
    scaled = _times(counts, scales)
    least, best, done = np.inf, (np.zeros(len(used)), 0.0, NUMBER_PENALTIES[0]), count()
    with threadpool_limits(1):  # several threads differ in the last digits
        for penalty in NUMBER_PENALTIES:
            on_progress("fits", next(done), len(NUMBER_PENALTIES))
            ridge = Ridge(penalty, solver="sparse_cg", max_iter=MOST_CG_STEPS, tol=STEP_TOLERANCE)
            ridge.fit(scaled, truth, sample_weight=train.weights.astype(np.float64))
            weights, bias = scales * ridge.coef_, float(ridge.intercept_)
            error = float(np.abs(checks @ weights + bias - wanted).mean())
            if not error < least:
                break  # weaker penalties only learn more by heart
            least, best = error, (weights, bias, penalty)
    on_progress("fits", len(NUMBER_PENALTIES), len(NUMBER_PENALTIES))
    weights, bias, penalty = best
    table = np.zeros((seen.shape[1], 1), np.float32)
    table[used, 0] = weights
    near = float((np.abs(checks @ weights + bias - wanted) <= NEAR_SHARE).mean())
    return LinearModel(table, np.array([bias], np.float32), penalty, near)


def _means(counts: sparse.csr_matrix, truth: Floats) -> Floats:
    """The mean number of the texts that hold each n-gram, drawn to 0 as if one more text held it, `[n-grams]`."""
    there = sparse.csr_matrix((np.ones(counts.nnz), counts.indices, counts.indptr), counts.shape)
    held = np.asarray(there.sum(axis=0)).ravel()
    return np.asarray((there.T @ truth) / (1 + held))


def _times(counts: sparse.csr_matrix, scales: Floats | Floats32) -> sparse.csr_matrix:
    """The counts of each n-gram times its scale."""
    return sparse.csr_matrix((counts.data * scales[counts.indices], counts.indices, counts.indptr), counts.shape)
