"""Each figure has one definition: scikit-learn's, to 1e-12, for all rows as for a part of them."""

import warnings

import numpy as np
import pytest
from sklearn import metrics as sk

from rnn_cli.evaluation.compare import LabelledPredictions, compare_models
from rnn_cli.evaluation.evaluate import by_values
from rnn_cli.evaluation.metrics import measure
from rnn_cli.evaluation.wording import METRICS_SHOWN, bounds, bounds_of_label, of_label, value

CLOSE = {"rel": 0, "abs": 1e-12}


def drawn(labels: int, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, probabilities with ties, predictions; some labels are without a row, or never predicted."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, max(labels - seed % 2, 1), rows)
    probabilities = np.round(chance.dirichlet(np.ones(labels), rows), 1) + 1e-3
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return truth, probabilities, probabilities.argmax(axis=1)


@pytest.mark.parametrize("labels", [2, 3, 7])
@pytest.mark.parametrize("rows", [3, 20, 300])
@pytest.mark.parametrize("seed", range(6))
def test_every_figure_is_scikit_learns(labels: int, rows: int, seed: int) -> None:
    truth, probabilities, predicted = drawn(labels, rows, seed)
    found = measure([str(each) for each in range(labels)], truth, probabilities, predicted)
    every = list(range(labels))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of labels that do not occur, of which it then says 0
        assert found.accuracy == pytest.approx(sk.accuracy_score(truth, predicted), **CLOSE)
        assert found.balanced_accuracy == pytest.approx(sk.balanced_accuracy_score(truth, predicted), **CLOSE)
        assert found.macro_f1 == pytest.approx(sk.f1_score(truth, predicted, average="macro"), **CLOSE)
        assert found.log_loss == pytest.approx(sk.log_loss(truth, probabilities, labels=every), **CLOSE)
        one_hot = np.eye(labels)[truth]
        brier = ((probabilities - one_hot) ** 2).sum(axis=1).mean() if labels > 2 else None
        if brier is None:
            brier = sk.brier_score_loss(truth == 1, probabilities[:, 1])
        assert found.brier == pytest.approx(brier, **CLOSE)
        precision, recall, f1, support = sk.precision_recall_fscore_support(
            truth, predicted, labels=every, zero_division=np.nan
        )
        ranked = [1] if labels == 2 else every
        if len(set(truth.tolist())) == labels:
            roc = np.mean([sk.roc_auc_score(truth == label, probabilities[:, label]) for label in ranked])
            pr = np.mean([sk.average_precision_score(truth == label, probabilities[:, label]) for label in ranked])
            assert (found.roc_auc, found.pr_auc) == (pytest.approx(roc, **CLOSE), pytest.approx(pr, **CLOSE))
        else:
            assert found.roc_auc is found.pr_auc is None
    for index, of in enumerate(found.per_class.values()):
        assert of.support == support[index]
        for mine, theirs in ((of.precision, precision[index]), (of.recall, recall[index]), (of.f1, f1[index])):
            assert (mine is None) if np.isnan(theirs) else mine == pytest.approx(theirs, **CLOSE)


@pytest.mark.parametrize("seed", range(4))
def test_a_figure_is_the_same_whole_and_as_a_group_and_in_a_comparison(seed: int) -> None:
    truth, probabilities, predicted = drawn(4, 40, seed)
    names = list("abcd")
    whole = measure(names, truth, probabilities, predicted)
    (part,) = by_values(truth, probabilities, predicted, ["all"] * 40)
    told = LabelledPredictions(
        "m", {"id": [str(row) for row in range(40)]}, [names[i] for i in truth], [names[i] for i in predicted], None
    )
    one, _ = compare_models([told, told]).models
    for each in (part, one):
        assert (each.accuracy, each.macro_f1) == (whole.accuracy, whole.macro_f1)
        assert each.accuracy_interval == whole.intervals["accuracy"]
        assert each.macro_f1_interval == whole.intervals["macro_f1"]
    assert part.log_loss == whole.log_loss


def test_three_rows_of_one_label_all_of_them_right() -> None:
    truth, probabilities = np.ones(3, np.intp), np.tile([0.1, 0.9], (3, 1))
    whole = measure(("negative", "positive"), truth, probabilities, truth)
    (part,) = by_values(truth, probabilities, truth, ["north"] * 3)
    assert whole.macro_f1 == part.macro_f1 == whole.balanced_accuracy == 1
    negative = whole.per_class["negative"]
    assert (negative.precision, negative.recall, negative.f1) == (None, None, None)
    assert [of_label(negative, name) for name in ("precision", "recall", "f1")] == ["–"] * 3
    assert (
        bounds_of_label(negative, "precision") == "never predicted" and bounds_of_label(negative, "recall") == "no rows"
    )
    assert value(whole, "roc_auc", METRICS_SHOWN["roc_auc"][1]) == "–"
    assert bounds(whole, "roc_auc", METRICS_SHOWN["roc_auc"][1]) == "a label has no row"
