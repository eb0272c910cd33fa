"""Curves, areas and macro F1 are scikit-learn's."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics as sk

from rnn_cli.evaluation.metrics import measure
from rnn_cli.evaluation.scores import (
    average_precision,
    confusion_of,
    macro_f1,
    precision_recall_curve,
    roc_auc,
    roc_curve,
)

SCORED = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]) | st.floats(0, 1)), min_size=2)


@given(SCORED)
def test_curves_and_areas(rows: list[tuple[bool, float]]) -> None:
    positive, scores = (np.array(column) for column in zip(*rows, strict=True))
    assume(0 < positive.sum() < len(positive))
    false, true, _ = sk.roc_curve(positive, scores)
    for ours, theirs in zip(roc_curve(positive, scores), (false, true), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    precision, recall, _ = sk.precision_recall_curve(positive, scores)
    for ours, theirs in zip(precision_recall_curve(positive, scores), (precision[::-1], recall[::-1]), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    assert roc_auc(positive, scores) == pytest.approx(sk.roc_auc_score(positive, scores), abs=1e-12)
    assert average_precision(positive, scores) == pytest.approx(sk.average_precision_score(positive, scores), abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_macro_f1_and_the_confusion(rows: list[tuple[int, int]]) -> None:
    truth, predicted = (np.array(column) for column in zip(*rows, strict=True))
    of_all = sk.f1_score(truth, predicted, average="macro", zero_division=0)
    assert macro_f1(confusion_of(truth, predicted, 4)) == pytest.approx(of_all)
    metrics = measure("abcd", truth, np.full((len(rows), 4), 0.25), predicted)
    assert metrics.confusion == sk.confusion_matrix(truth, predicted, labels=range(4)).tolist()
    assert metrics.macro_f1 == pytest.approx(of_all)
