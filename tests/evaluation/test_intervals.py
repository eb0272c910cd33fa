"""Intervals compare_models what they say, tell where there is none, and follow from the rows alone."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats
from sklearn import metrics as sk

from rnn_cli.evaluation.compare import compare_predictions
from rnn_cli.evaluation.intervals import f1_interval, losses_interval, student_95, wilson_interval
from rnn_cli.evaluation.metrics import Metrics, measure
from rnn_cli.evaluation.scores import calibration_error, precision_influences, roc_influences

Drawn = tuple[npt.NDArray[np.intp], npt.NDArray[np.float64], npt.NDArray[np.intp]]


def answered(rows: int, labels: int, *, seed: int = 3, sure: float = 1.0, lift: float = 1.0) -> Drawn:
    """Truth, probabilities and answers; `sure` other than 1 miscalibrates, more `lift` makes fewer mistakes."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, labels, rows)
    logits = np.sqrt(lift) * chance.normal(size=(rows, labels))
    logits[np.arange(rows), truth] += lift  # with normal noise of this variance, softmax is calibrated
    wide = np.exp(sure * logits)
    probabilities = wide / wide.sum(axis=1, keepdims=True)
    return truth, probabilities, probabilities.argmax(axis=1)


def measured(case: Drawn) -> Metrics:
    return measure([str(place) for place in range(case[1].shape[1])], *case)


def test_coverage_of_a_few_kinds_of_populations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loosely: of 500 samples; `tests/bench/interval_coverage.py` measures all."""
    file = Path(__file__).parent.parent / "bench" / "interval_coverage.py"
    found_at = spec_from_file_location("bench_coverage", file)
    assert found_at and found_at.loader
    bench = module_from_spec(found_at)
    monkeypatch.setitem(sys.modules, "bench_coverage", bench)
    found_at.loader.exec_module(bench)
    for rows, shares, accuracy in ((50, (0.5, 0.5), 0.65), (200, (0.5, 0.25, 0.13, 0.08, 0.04), 0.95)):
        around = enumerate((-0.02, 0.02))
        populations = [bench.population(shares, accuracy + more, seed, 20_000) for seed, more in around]
        found = bench.simulate((rows, len(shares), "", accuracy), populations, 500)
        for name, (given, held) in found.items():
            if given > 0.5:
                assert 0.91 <= held <= (1 if name == "ece" else 0.995), (rows, name, held)
        assert all(
            given == 1 for name, (given, _) in found.items() if rows == 200 and name not in ("roc_auc", "pr_auc")
        )
        assert not found["ece"][0] if rows == 50 else found["ece"][0] == 1


@pytest.mark.parametrize("labels", [2, 5])
@pytest.mark.parametrize("lift", [0.5, 6.0])
def test_an_interval_holds_its_figure_and_stays_within_what_it_can_be(labels: int, lift: float) -> None:
    for rows in (100, 400):
        for seed in range(5):
            metrics = measured(answered(rows, labels, seed=seed, lift=lift))
            for name, interval in metrics.intervals.items():
                if interval is not None:
                    assert 0 <= interval[0] <= getattr(metrics, name) <= interval[1], name
                    assert interval[1] <= 1 or name in ("log_loss", "brier")


def test_four_times_the_rows_halve_the_intervals() -> None:
    few, many = (measured(answered(rows, 3)).intervals for rows in (2_000, 8_000))
    for name, (low, high) in ((name, span) for name, span in many.items() if span and name != "ece"):
        wide = few[name] or (0, 0)
        assert 1.7 < (wide[1] - wide[0]) / (high - low) < 2.3, name


def test_intervals_need_no_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    case = answered(300, 4)
    first = measured(case)
    monkeypatch.setattr(np.random, "default_rng", None)
    assert measured(case) == first
    assert compare_predictions(case[0], case[2], case[0], 4) == compare_predictions(case[0], case[2], case[0], 4)


def test_what_the_rows_cannot_tell_has_no_interval() -> None:
    truth = np.array([0] * 16 + [1] * 4)
    probabilities = np.column_stack([1 - truth * 0.8 - 0.1, truth * 0.8 + 0.1])
    found = measure("ab", truth, probabilities, truth).intervals
    assert found["roc_auc"] is None is found["pr_auc"]  # 4 rows of a label
    assert found["log_loss"] is None is found["brier"]  # no mistake
    assert found["ece"] is None  # 20 rows
    assert found["balanced_accuracy"] is None is found["macro_f1"] and found["accuracy"]
    of_five = measured(answered(24, 5)).intervals
    assert of_five["balanced_accuracy"] is None is of_five["macro_f1"]  # under 5 rows a label
    assert of_five["accuracy"] and of_five["log_loss"]
    truth, _, predicted = answered(24, 5)
    assert compare_predictions(truth, predicted, truth, 5).macro_f1_interval is None


def test_what_is_right_in_all_rows_seen_is_not_certain() -> None:
    truth = np.arange(50) % 2
    probabilities = np.eye(2)[truth] * 0.8 + 0.1
    found = measure("ab", truth, probabilities, truth).intervals
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "pr_auc"):
        low, high = found[name] or (1, 0)
        assert 0.7 < low < 0.95 and high == pytest.approx(1), name
    low, high = compare_predictions(truth, truth, truth, 2).macro_f1_interval or (0, 0)
    assert low == -high and 0.02 < high < 0.2


def test_a_label_without_a_row_counts_as_nothing_and_leaves_no_ranking() -> None:
    truth, probabilities, predicted = answered(300, 3)
    kept = truth != 1
    found = measure("abc", truth[kept], probabilities[kept], predicted[kept])
    assert found.intervals["roc_auc"] is None is found.intervals["pr_auc"]
    low, high = found.intervals["macro_f1"] or (1, 0)
    assert low < found.macro_f1 < high < 2 / 3


def test_one_label_alone() -> None:
    truth = np.zeros(60, np.intp)
    metrics = measure("ab", truth, np.tile([0.9, 0.1], (60, 1)), truth)
    assert metrics.intervals["accuracy"] and metrics.intervals["balanced_accuracy"]
    assert compare_predictions(truth, truth, truth, 2).macro_f1_interval is None


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_handful_of_rows_breaks_nothing(rows: int) -> None:
    for seed in range(5):
        case = answered(rows, 2, seed=seed)
        for span in measured(case).intervals.values():
            assert span is None or 0 <= span[0] <= span[1]
        compare_predictions(case[0], case[2], 1 - case[2], 2)


def test_equal_probabilities_are_told_as_what_they_are() -> None:
    truth = np.arange(200) % 2
    metrics = measure("ab", truth, np.full((200, 2), 0.5), np.zeros(200, np.intp))
    assert metrics.intervals["log_loss"] == pytest.approx((np.log(2), np.log(2)))
    low, high = metrics.intervals["roc_auc"] or (1, 0)
    assert low < 0.5 < high
    assert metrics.ece == 0 == (metrics.intervals["ece"] or (1, 1))[0]


def test_the_calibration_error_of_a_calibrated_model_is_no_error_and_that_of_a_bad_one_is() -> None:
    good, bad = measured(answered(2_000, 2)), measured(answered(2_000, 2, sure=4.0))
    assert good.ece and (good.intervals["ece"] or (1, 0))[0] == 0
    low, high = bad.intervals["ece"] or (0, 0)
    assert calibration_error(*answered(2_000_000 // 10, 2, seed=9, sure=4.0)) == pytest.approx(
        (low + high) / 2, abs=0.02
    )
    assert low > 2 * (good.intervals["ece"] or (0, 1))[1]


def test_the_modified_wilson_interval() -> None:
    # Brown, Cai and DasGupta (2001): of few rows the ends next to the edge are those of a Poisson count.
    assert wilson_interval(1, 30)[0] == pytest.approx(-np.log(0.95) / 30)
    assert wilson_interval(48, 50)[1] == pytest.approx(1 - stats.chi2.ppf(0.05, 4) / 2 / 50)
    assert wilson_interval(3, 60)[0] == pytest.approx(stats.chi2.ppf(0.05, 6) / 2 / 60)
    for rows in (8, 20, 50, 100):
        shares = np.linspace(0.001, 0.999, 999)
        ends = np.array([wilson_interval(right, rows) for right in range(rows + 1)])
        held = (ends[:, :1] <= shares) & (shares <= ends[:, 1:])
        coverage = (stats.binom.pmf(np.arange(rows + 1)[:, None], rows, shares) * held).sum(axis=0)
        assert coverage.min() > 0.895 and 0.95 < coverage.mean() < 0.965  # Wilson's own falls to 0.83
    assert f1_interval(3, 4) == tuple(2 * end / (1 + end) for end in wilson_interval(3, 4))


@pytest.mark.parametrize(
    ("influences", "area"), [(roc_influences, sk.roc_auc_score), (precision_influences, sk.average_precision_score)]
)
@pytest.mark.parametrize("digits", [1, 9])
def test_influences_are_what_a_little_more_of_a_row_changes(influences, area, digits: int) -> None:  # type: ignore[no-untyped-def]
    chance = np.random.default_rng(4)
    positive = chance.random(60) < 0.3
    scores = (chance.normal(size=60) + positive).round(digits)
    found = influences(positive, scores)
    for row in range(60):
        weights = np.ones(60)
        weights[row] += 1e-6
        more = area(positive, scores, sample_weight=weights)
        assert found[row] == pytest.approx((more - area(positive, scores)) / 1e-6, abs=1e-5)


def test_skewed_losses_have_a_skewed_interval() -> None:
    losses = np.array([0.01] * 45 + [0.3, 0.4, 1.0, 2.5, 4.0])
    low, high = losses_interval(losses, 3) or (0, 0)
    assert 0 < low < losses.mean() < high
    assert high - losses.mean() > 1.5 * (losses.mean() - low)
    even = np.concatenate([losses, 8 - losses])
    low, high = losses_interval(even, 3) or (0, 0)
    error = stats.t.ppf(0.975, 99) * even.std(ddof=1) / 10
    assert (low, high) == pytest.approx((4 - error, 4 + error))


def test_students_t() -> None:
    for freedom in (3, 4.5, 10, 100, 1e6):
        assert student_95(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=0.004)
