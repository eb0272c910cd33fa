import numpy as np
import pytest
from sklearn import metrics as sk

from rnn_cli.evaluation.evaluate import SLICE_RANGES, SLICE_ROWS, by_length, by_values
from rnn_cli.evaluation.intervals import wilson_interval
from rnn_cli.evaluation.metrics import measure


def answered(rows: int, wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, probabilities and answers of two labels, of which those marked are wrong."""
    truth = np.arange(rows) % 2
    predicted = np.where(wrong, 1 - truth, truth)
    return truth, np.eye(2)[predicted] * 0.6 + 0.2, predicted


def test_slices_by_value_are_measured_alone_and_the_worst_comes_first() -> None:
    values = ["de"] * 30 + ["en"] * 50 + ["fr"] * 20
    wrong = np.zeros(100, bool)
    wrong[:3] = wrong[80:90] = True  # 3 of the German, 10 of the French
    truth, probabilities, predicted = answered(100, wrong)
    slices = by_values(truth, probabilities, predicted, values)
    assert [(each.name, each.rows, each.accuracy) for each in slices] == [
        ("fr", 20, 0.5),
        ("de", 30, 0.9),
        ("en", 50, 1.0),
    ]
    assert slices[1].accuracy_interval == wilson_interval(27, 30)
    assert slices[1].macro_f1 == pytest.approx(sk.f1_score(truth[:30], predicted[:30], average="macro"))
    assert slices[1].log_loss == pytest.approx(-(27 * np.log(0.8) + 3 * np.log(0.2)) / 30)


def test_the_macro_f1_is_of_the_labels_that_occur() -> None:
    truth = np.ones(40, np.intp)
    probabilities = np.tile([0.0, 0.9, 0.1], (40, 1))
    (only,) = by_values(truth, probabilities, truth, ["same"] * 40)
    assert only.macro_f1 == 1


def test_a_slice_has_the_intervals_it_would_have_as_a_whole() -> None:
    chance = np.random.default_rng(3)
    truth = chance.integers(0, 3, 400)
    probabilities = chance.dirichlet(np.ones(3), 400) * 0.8 + 0.2 * np.eye(3)[truth]
    predicted = probabilities.argmax(axis=1)
    part = chance.random(400) < 0.4
    slices = {
        each.name: each
        for each in by_values(truth, probabilities, predicted, ["here" if is_in else "there" for is_in in part])
    }
    whole = measure("abc", truth[part], probabilities[part], predicted[part])
    here = slices["here"]
    assert (here.macro_f1, here.log_loss) == pytest.approx((whole.macro_f1, whole.log_loss))
    assert here.macro_f1_interval == pytest.approx(whole.intervals["macro_f1"], abs=1e-6)
    assert here.log_loss_interval == pytest.approx(whole.intervals["log_loss"], abs=1e-6)
    low, high = here.macro_f1_interval
    assert low < here.macro_f1 < high and high - low > 0.05


def test_labels_that_do_not_occur_in_a_slice_do_not_widen_its_interval() -> None:
    truth = np.tile([0, 1, 2], 100)
    predicted = np.where(np.arange(300) % 10 == 0, (truth + 1) % 3, truth)
    values = ["two" if label < 2 else "one" for label in truth]
    slices = {each.name: each for each in by_values(truth, np.eye(3)[predicted] * 0.7 + 0.1, predicted, values)}
    two = truth < 2
    # Label 2 is answered there, but never true: its F1 is 0 in each resample.
    low, high = slices["two"].macro_f1_interval
    assert low < sk.f1_score(truth[two], predicted[two], average="macro") < high < 2 / 3


def test_few_rows_have_no_interval_that_would_be_too_narrow() -> None:
    few, more, enough = (by_values(*answered(rows, np.arange(rows) == 3), ["same"] * rows)[0] for rows in (19, 20, 50))
    assert few.macro_f1_interval is None is few.log_loss_interval
    assert more.macro_f1_interval is None and more.log_loss_interval
    assert enough.macro_f1_interval and enough.log_loss_interval
    assert few.accuracy_interval == wilson_interval(18, 19)


def test_hundreds_of_slices_are_each_of_their_rows() -> None:
    rows = np.arange(20_000)
    slices = by_values(*answered(20_000, rows % 7 == 0), [f"v{row % 400}" for row in rows])
    assert {each.name for each in slices} == {f"v{number}" for number in range(400)}
    assert {each.rows for each in slices} == {50}


def test_values_of_few_rows_are_told_together_and_last() -> None:
    values = ["often"] * 60 + [f"user {row // 2}" for row in range(20)] + [None, "", " "]
    slices = by_values(*answered(83, np.arange(83) >= 60), values)
    # All rows of the rare values are wrong, and yet they do not come first.
    assert [(each.name, each.rows, each.accuracy) for each in slices] == [
        ("often", 60, 1.0),
        ("(11 values under 20 rows)", 23, 0.0),
    ]
    alone = by_values(*answered(83, np.arange(83) >= 60), ["often"] * 60 + ["rare"] * 19 + ["often"] * 4)
    assert [each.name for each in alone] == ["often", "rare"]


def test_missing_values_are_a_slice() -> None:
    slices = by_values(*answered(60, np.arange(60) < 20), [None] * 10 + [""] * 10 + ["here"] * 40)
    assert [(each.name, each.rows) for each in slices] == [("(none)", 20), ("here", 40)]


def test_a_column_of_numbers_is_cut_into_bands_of_like_size() -> None:
    values = [*(str(number / 4) for number in range(1_000)), None]
    slices = by_values(*answered(1_001, np.arange(1_001) < 200), values)
    bands = [each for each in slices if each.name != "(none)"]
    assert [each.rows for each in bands] == [200] * 5
    assert (slices[0].name, slices[0].accuracy) == ("0 to 49.75", 0.0)
    assert sum(each.rows for each in slices) == 1_001
    few = by_values(*answered(100, np.zeros(100, bool)), [str(row % 5) for row in range(100)])
    assert sorted(each.name for each in few) == list("01234")  # stars are values, no bands


def test_bands_of_length_hold_all_rows_once_and_do_not_overlap() -> None:
    lengths = np.random.default_rng(1).integers(0, 300, 517)
    slices = by_length(*answered(517, lengths > 250), lengths)
    assert len(slices) == SLICE_RANGES and sum(each.rows for each in slices) == 517
    spans = sorted(tuple(map(int, each.name.removesuffix(" tokens").split(" to "))) for each in slices)
    assert spans[0][0] == lengths.min() and spans[-1][1] == lengths.max()
    assert all(one[1] < other[0] for one, other in zip(spans, spans[1:], strict=False))
    assert slices[0].name.endswith(f" to {lengths.max()} tokens") and slices[0].accuracy < 0.3


@pytest.mark.parametrize(("rows", "bands"), [(1, 1), (SLICE_ROWS, 1), (2 * SLICE_ROWS, 2), (1_000, SLICE_RANGES)])
def test_few_rows_make_few_bands(rows: int, bands: int) -> None:
    assert len(by_length(*answered(rows, np.zeros(rows, bool)), np.arange(rows))) == bands


def test_equal_lengths_are_one_band() -> None:
    (only,) = by_length(*answered(100, np.zeros(100, bool)), np.full(100, 7))
    assert (only.name, only.rows) == ("7 tokens", 100)
