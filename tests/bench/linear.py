"""How fast the linear baseline and the n-gram part are fitted to 20,000 IMDB reviews, beside scikit-learn's solvers.

    python tests/bench/linear.py [ROUNDS] [SOLVER ...]

All fit the same TF-IDF matrix with each C of the baseline, ours each from the one before, scikit-learn's as a user
calls them (`LogisticRegression(solver=..., max_iter=1000)`; liblinear, lbfgs and newton-cg). Shown are the seconds of
all fits, and by how much each loss at the largest C is above the least of all. Ours and the peer run in turn.
"""

import sys
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from measuring import in_turn, seconds, show
from sklearn.linear_model import LogisticRegression

from rnn_cli.config.load import load_config
from rnn_cli.data.splits import load_splits
from rnn_cli.linear.logistic import fit_path
from rnn_cli.linear.tfidf import fit_features
from rnn_cli.training.baseline import BASELINE_STRENGTHS

SOLVERS = ("liblinear", "lbfgs", "newton-cg")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    splits = load_splits(load_config("default").data)
    began = time.perf_counter()
    matrix = fit_features(splits.train.texts, splits.validation.texts, 1).matrix
    counting = time.perf_counter() - began
    classes = np.array(splits.train.labels) == max(splits.train.labels)
    print(f"{matrix.shape[0]:,} texts, {matrix.shape[1]:,} features, counted in {counting:.1f} s")
    losses: dict[str, float] = {}

    def loss(weights: np.ndarray, bias: float) -> float:
        logits = matrix @ weights + bias
        rest = (np.logaddexp(0, logits) - classes * logits).sum()
        return float((weights**2).sum() / 2 + BASELINE_STRENGTHS[-1] * rest)

    def ours() -> None:
        *_, model = fit_path(matrix, classes.astype(np.intp), 2, BASELINE_STRENGTHS)
        losses["ours"] = loss(model.weights[:, 0], model.bias[0])

    def peer(solver: str) -> Callable[[], None]:
        def fit() -> None:
            for strength in BASELINE_STRENGTHS:
                model = LogisticRegression(C=strength, solver=solver, max_iter=1000).fit(matrix, classes)
            losses[solver] = loss(model.coef_[0], model.intercept_[0])

        return fit

    warnings.simplefilter("ignore")
    for solver in sys.argv[2:] or SOLVERS:
        taken = in_turn(partial(seconds, ours), partial(seconds, peer(solver)), rounds)
        show(f"all fits, {solver}", *taken, "s")
    least = min(losses.values())
    for name, found in losses.items():
        print(f"{name}: loss {found / least - 1:.1e} above the least")


if __name__ == "__main__":
    main()
