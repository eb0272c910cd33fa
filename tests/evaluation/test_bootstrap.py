"""The bootstrap's figures are scikit-learn's on the very rows drawn, and its intervals hold what they say."""

import resource
import time

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics as sk

from rnn_cli.evaluation import bootstrap
from rnn_cli.evaluation.bootstrap import bootstrap_intervals
from rnn_cli.evaluation.losses import calibration_error, log_losses

Drawn = tuple[npt.NDArray[np.intp], npt.NDArray[np.float64], npt.NDArray[np.intp]]


def answered(rows: int, labels: int, *, seed: int = 3, sure: float = 1.0, digits: int | None = None) -> Drawn:
    """Truth, probabilities and answers; `sure` other than 1 miscalibrates, few `digits` make equal probabilities."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, labels, rows)
    logits = chance.normal(size=(rows, labels))
    logits[np.arange(rows), truth] += 1.0  # with normal noise of variance 1, softmax is calibrated
    wide = np.exp(sure * logits)
    probabilities = wide / wide.sum(axis=1, keepdims=True)
    if digits is not None:
        probabilities = probabilities.round(digits)
    return truth, probabilities, probabilities.argmax(axis=1)


def by_hand(truth: npt.NDArray[np.intp], probabilities: npt.NDArray[np.float64], answers: npt.NDArray[np.intp]):  # type: ignore[no-untyped-def]
    labels = probabilities.shape[1]
    ranked = [1] if labels == 2 else range(labels)
    one_hot = np.eye(labels)[truth]
    squares = ((probabilities - one_hot) ** 2).sum(axis=1).mean()
    return {
        "balanced_accuracy": sk.balanced_accuracy_score(truth, answers),
        "macro_f1": sk.f1_score(truth, answers, average="macro", labels=range(labels), zero_division=0),
        "roc_auc": np.mean([sk.roc_auc_score(truth == label, probabilities[:, label]) for label in ranked]),
        "pr_auc": np.mean([sk.average_precision_score(truth == label, probabilities[:, label]) for label in ranked]),
        "log_loss": -np.log(probabilities[np.arange(len(truth)), truth]).mean(),
        "brier": squares / 2 if labels == 2 else squares,
    }


@pytest.mark.parametrize(("labels", "digits"), [(2, None), (2, 1), (5, None), (5, 1)])
def test_the_figures_of_a_resample_are_those_of_the_rows_drawn(labels: int, digits: int | None) -> None:
    truth, probabilities, answers = answered(200, labels, digits=digits)
    probabilities = np.clip(probabilities, 1e-3, 1)  # binary Brier scores take rows to sum to 1
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    order = np.argsort(truth, kind="stable")
    truth, probabilities, answers = truth[order], probabilities[order], answers[order]
    counts = np.bincount(truth)
    weights = next(bootstrap._resamples(counts))
    measures = [
        bootstrap._of_answers(truth, answers, counts),
        bootstrap._of_losses(log_losses(truth, probabilities)),
        bootstrap._of_probabilities(truth, probabilities, answers),
        bootstrap._of_ranks(truth, probabilities),
    ]
    found = {name: values for measure in measures for name, values in measure(weights).items()}
    for place in range(20):
        rows = np.repeat(np.arange(len(truth)), weights[:, place].astype(int))
        assert np.array_equal(np.bincount(truth[rows]), counts)  # as many rows of each label as there are
        expected = by_hand(truth[rows], probabilities[rows], answers[rows])
        assert {name: found[name][place] for name in expected} == pytest.approx(expected, rel=1e-4)


def test_the_intervals_hold_the_true_figures_about_as_often_as_they_say() -> None:
    true = by_hand(*answered(200_000, 3, seed=99))
    held = dict.fromkeys(true, 0)
    for seed in range(300):
        found = bootstrap_intervals(*answered(250, 3, seed=seed))
        for name, value in true.items():
            low, high = found[name] or (1, 0)
            held[name] += low <= value <= high
    # Drawn from 300 samples, a share of 0.95 lies between these bounds all but always.
    assert all(0.90 <= count / 300 <= 0.985 for count in held.values()), held


def test_the_interval_of_the_calibration_error_lies_around_it_and_tells_bad_from_good() -> None:
    good, bad = answered(2_000, 2), answered(2_000, 2, sure=4.0)
    for case in (good, bad):
        low, high = bootstrap_intervals(*case)["ece"] or (1, 0)
        assert 0 <= low < calibration_error(*case) < high
    assert (bootstrap_intervals(*good)["ece"] or (0, 1))[1] < (bootstrap_intervals(*bad)["ece"] or (0, 0))[0]


def test_four_times_the_rows_halve_the_intervals() -> None:
    few, many = bootstrap_intervals(*answered(2_000, 3)), bootstrap_intervals(*answered(8_000, 3))
    for name, (low, high) in ((name, span) for name, span in many.items() if span):
        wide = few[name] or (0, 0)
        assert 1.6 < (wide[1] - wide[0]) / (high - low) < 2.5, name


def test_the_same_rows_give_the_same_intervals() -> None:
    assert bootstrap_intervals(*answered(300, 4)) == bootstrap_intervals(*answered(300, 4))


def test_a_label_without_a_row_leaves_no_ranking() -> None:
    truth, probabilities, answers = answered(300, 3)
    kept = truth != 1
    found = bootstrap_intervals(truth[kept], probabilities[kept], answers[kept])
    assert found["roc_auc"] is found["pr_auc"] is None
    assert all(found[name] for name in ("balanced_accuracy", "macro_f1", "log_loss", "brier", "ece"))


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_handful_of_rows_has_intervals_too(rows: int) -> None:
    truth, probabilities, answers = answered(rows, 2)
    for span in bootstrap_intervals(truth, probabilities, answers).values():
        assert span is None or 0 <= span[0] <= span[1]


def test_a_round_is_only_a_matter_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bootstrap_intervals(*answered(500, 3))
    monkeypatch.setattr(bootstrap, "ROUND", 500 * 7)
    parted = bootstrap_intervals(*answered(500, 3))
    for name, span in whole.items():  # other rows are drawn, from the same ones
        assert span and parted[name] == pytest.approx(span, abs=0.01)


@pytest.mark.parametrize("labels", [2, 77])
def test_25_000_rows_take_a_second_or_two(labels: int) -> None:
    case = answered(25_000, labels)
    started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bootstrap_intervals(*case)
    assert time.process_time() - started < 8  # 1 and 2 seconds on 2 idle cores of a server
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # kB
