"""A quick linear model of labelled texts: TF-IDF of words and word pairs, logistic regression with a fixed C.

It is the model that `rnn train` shows beside the network but for its C, which is not chosen here: so many folds and
sizes would take minutes. Knows nothing of what its answers are for.
"""

import warnings
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression

from rnn_cli.arrays import Floats, Indices
from rnn_cli.linear.one_vs_rest import HANDFUL, fit_one_vs_rest
from rnn_cli.linear.words import Words

STRENGTH = 3.0
"""C, the inverse of the penalty's strength. A wrong label can be learned by heart with a large one."""

TOLERANCE = 1e-5
"""The largest entry of the gradient at which a fit ends; TF-IDF's values are small, and so are gradients. Newton's
steps reach it in a fifteenth of the time that L-BFGS takes."""

MOST_WEIGHTS = 10_000_000
"""Features times labels, at most: it bounds the memory; the rarest features go first."""


def count_features(words: Words, labels: int) -> Any:
    """How often each text holds each word and word pair that at least two texts hold: sparse, `[texts, features]`."""
    rows = np.repeat(np.arange(len(words)), words.lengths)
    within = rows[1:] == rows[:-1]
    pairs = (words.ids[:-1] * words.size + words.ids[1:])[within]
    # A pair met once is dropped before the matrix is made: most are, and they would take most of the memory.
    _, numbers, times = np.unique(pairs, return_inverse=True, return_counts=True)
    often = times[numbers] > 1
    columns = np.concatenate([words.ids, words.size + numbers[often]])
    rows = np.concatenate([rows, rows[1:][within][often]])
    shape = (len(words), words.size + len(times))
    counts = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape)  # equal places are summed
    texts = np.bincount(counts.indices, minlength=shape[1])
    most = MOST_WEIGHTS // labels
    enough = texts > max(1, int(np.sort(texts)[-most]) if most < len(texts) else 0)
    return counts[:, np.flatnonzero(enough)]


def fit_and_score(counts: Any, classes: Indices, train: Indices, held_out: Indices, labels: int) -> Floats:
    """Fit to the rows `train`; answers the probabilities of the rows `held_out`, `[held_out, labels]`.

    `classes` holds a number below `labels` for each row of `counts`. A label without a row in `train` has
    probability 0. More than a handful of labels are fitted one by one, as the model of `rnn train` is.
    """
    weigh = TfidfTransformer(sublinear_tf=True)
    seen = weigh.fit_transform(counts[train])
    if labels > HANDFUL:
        found: Floats = fit_one_vs_rest(seen, classes[train], labels, STRENGTH).probabilities(
            weigh.transform(counts[held_out])
        )
        return found
    model = LogisticRegression(C=STRENGTH, solver="newton-cg", tol=TOLERANCE)
    with warnings.catch_warnings():  # one that has not quite converged will do
        warnings.simplefilter("ignore")
        model.fit(seen, classes[train])
    probabilities = np.zeros((len(held_out), labels))
    probabilities[:, model.classes_] = model.predict_proba(weigh.transform(counts[held_out]))
    return probabilities
