"""Gates judged: each figure against what `rnn evaluate` and the intervals' own functions say."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import rnn_cli as rnn
from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import ConfigError, DataError
from rnn_cli.evaluation.evaluate import kept_test_rows
from rnn_cli.evaluation.intervals import wilson_interval
from rnn_cli.evaluation.metrics import Metrics
from rnn_cli.evaluation.ordered import OrderedComparison, compare_ordered
from rnn_cli.gates.gates_file import load_gates
from rnn_cli.gates.judge import Found, _quantile, check_golden, judge, measure_rows, size_of_model, time_each
from rnn_cli.gates.outcomes import GateOutcome
from rnn_cli.inspection.behaviour import Behaviour, NotRun, Outcome
from rnn_cli.scoring.predictor import Predictor
from tests.conftest import labelled_texts, several_rows
from tests.forge import Forged

NEW = [(f"{text} {row}", label) for row, (text, label) in enumerate(labelled_texts(["good", "bad"], 60))]
WRONG = 9


def rows_of(pairs: list[tuple[str, str]], *, several: bool = False) -> Dataset:
    texts, labels = (list(column) for column in zip(*pairs, strict=True))
    return Dataset("new.csv", texts, labels, list(range(2, len(texts) + 2)), several=several)


@pytest.fixture(scope="module")
def mistaken() -> Dataset:
    """60 rows, of which `WRONG` good ones are labelled bad."""
    goods = [row for row, (_, label) in enumerate(NEW) if label == "good"][:WRONG]
    return rows_of([(text, "bad" if row in goods else label) for row, (text, label) in enumerate(NEW)])


@pytest.fixture(scope="module")
def predictor(trained: Path) -> Predictor:
    return Predictor.open(trained, threads=1)


Judged = Callable[[str], GateOutcome]


@pytest.fixture(scope="module")
def judged(predictor: Predictor, mistaken: Dataset) -> Judged:
    found = Found(
        measure_rows(predictor, mistaken), size=size_of_model(predictor), seconds=[0.001 * i for i in range(1, 101)]
    )

    def of(line: str) -> GateOutcome:
        (outcome,) = judge(load_gates([line]), found)
        return outcome

    return of


def test_a_figure_is_the_one_of_an_evaluation(judged: Judged, predictor: Predictor, mistaken: Dataset) -> None:
    metrics = measure_rows(predictor, mistaken).metrics
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "pr_auc"):
        found = judged(f"{name} >= 0.5")
        assert (found.value, found.interval) == (getattr(metrics, name), metrics.intervals[name])
    for name in ("brier", "ece", "log_loss"):
        assert judged(f"{name} <= 0.5").value == getattr(metrics, name)
    for name in ("precision", "recall", "f1"):
        found, of = judged(f"{name}[bad] >= 0.5"), metrics.per_class["bad"]
        assert (found.value, found.interval) == (getattr(of, name), getattr(of, f"{name}_interval"))
    assert judged("rows >= 60").value == 60


def test_the_figure_or_the_worse_end_of_its_interval_decides(judged: Judged) -> None:
    right = 60 - WRONG
    low, high = wilson_interval(right, 60)
    assert judged(f"accuracy >= {right / 60 - 0.001:.6f}").passed
    assert not judged(f"accuracy >= {right / 60 + 0.001:.6f}").passed
    assert judged(f"accuracy >= {low - 0.001:.6f} (lower bound)").passed
    assert not judged(f"accuracy >= {low + 0.001:.6f} (lower bound)").passed
    assert judged(f"accuracy >= {low + 0.001:.6f}").passed
    loss = judged("log_loss <= 0.5")
    assert loss.interval is not None and loss.value is not None
    end = loss.interval[1]
    assert judged(f"log_loss <= {end + 0.001:.6f} (upper bound)").passed
    assert not judged(f"log_loss <= {end - 0.001:.6f} (upper bound)").passed


def test_size_is_that_of_what_scoring_reads(judged: Judged, trained: Path) -> None:
    size = sum((trained / name).stat().st_size for name in ("model.onnx", "tokenizer.json"))
    assert judged("size <= 1 GB").value == size
    assert judged(f"size <= {size / 1e3} KB").passed
    assert not judged(f"size <= {size / 1e3 - 0.01} KB").passed


def test_latency_is_the_median_and_its_interval_follows_from_the_order(judged: Judged) -> None:
    found = judged("latency <= 60 ms")
    assert found.value == pytest.approx(0.051)
    assert found.interval == pytest.approx((0.041, 0.061))  # the 41st and the 61st of 100
    assert found.passed and not judged("latency <= 60 ms (upper bound)").passed
    assert judged("latency_p95 <= 96 ms").value == pytest.approx(0.096)


def test_a_quantile_s_interval_holds_it_as_often_as_it_says() -> None:
    chance = np.random.default_rng(1)
    held = 0
    for _ in range(1_000):
        _, interval, _ = _quantile(chance.exponential(size=100).tolist(), 0.5)
        assert interval is not None
        held += interval[0] <= np.log(2) <= interval[1]
    assert held >= 930


def test_too_few_times_have_no_interval() -> None:
    assert _quantile([0.001, 0.002], 0.5)[1:] == (None, "")
    assert _quantile([0.001], 0.95)[0] == 0.001


def test_each_text_is_timed_alone(predictor: Predictor) -> None:
    ticks: Iterator[float] = iter([0.0, 0.5, 10.0, 11.0, 20.0, 22.0])
    assert time_each(predictor, ["a film", "dull", "warm"], lambda: next(ticks)) == [0.5, 1.0, 2.0]


def test_of_many_texts_some_are_timed(predictor: Predictor) -> None:
    count = iter(range(10_000))
    assert len(time_each(predictor, ["a film"] * 450, lambda: float(next(count)))) == 200


def test_a_figure_that_does_not_exist_fails_with_the_reason(predictor: Predictor) -> None:
    one = rows_of([row for row in NEW if row[1] == "good"][:30])
    found = Found(measure_rows(predictor, one))
    (recall, area) = judge(load_gates(["recall[bad] >= 0", "roc_auc >= 0"]), found)
    assert (recall.value, recall.passed, recall.reason) == (None, False, "no row has this label")
    assert (area.value, area.passed, area.reason) == (None, False, "a label has no row")


def test_a_bound_without_an_interval_fails(predictor: Predictor) -> None:
    (found,) = judge(load_gates(["macro_f1 >= 0 (lower bound)"]), Found(measure_rows(predictor, rows_of(NEW[:10]))))
    assert (found.interval, found.passed) == (None, False)
    assert "no interval" in found.reason


def outcome(name: str, failed: int, texts: int = 100) -> Outcome:
    return Outcome(name, "label", ("good",), texts, None, tuple(None for _ in range(failed)))  # type: ignore[misc]


def test_tests_of_a_name_count_together() -> None:
    behaviour = Behaviour(("bad", "good"), (outcome("negated praise", 5), outcome("negated blame", 25, 50)), ())
    (one, both) = judge(
        load_gates(["behaviour.negated_praise >= 0.95", "behaviour.negated >= 0.81"]), Found(behaviour=behaviour)
    )
    assert (one.value, one.passed, one.interval) == (0.95, True, wilson_interval(95, 100))
    assert both.value == pytest.approx(0.8) and not both.passed
    assert both.reason == "the worst is negated blame, 25 of 50 fail"


def test_a_test_that_was_not_run_fails() -> None:
    behaviour = Behaviour(("0", "1"), (), (NotRun("negated praise", "label", "the model has no label positive"),))
    (found,) = judge(load_gates(["behaviour.negated_praise >= 0"]), Found(behaviour=behaviour))
    assert not found.passed
    assert found.reason == "negated praise was not run, as the model has no label positive"


def test_of_several_tests_those_that_can_run_count_and_the_others_are_named() -> None:
    not_run = NotRun("facts", "label", "the model has no label neutral")
    behaviour = Behaviour(("bad", "good"), (outcome("negated praise", 5),), (not_run,))
    (found,) = judge(load_gates(["behaviour >= 0.9"]), Found(behaviour=behaviour))
    assert (found.value, found.passed) == (0.95, True)
    assert found.reason == "facts was not run, as the model has no label neutral"


def test_the_golden_set_lists_each_text_that_got_another_label(predictor: Predictor, mistaken: Dataset) -> None:
    found = check_golden(predictor, mistaken, "golden.csv")
    assert (found.rows, len(found.mismatches), found.passed, found.learned) == (60, WRONG, False, 0)
    assert all((each.wanted, each.predicted) == ("bad", "good") for each in found.mismatches)
    assert found.mismatches[0].where.startswith("new.csv:")
    assert check_golden(predictor, rows_of(NEW), "golden.csv").passed


def test_a_golden_label_that_the_model_lacks_is_an_error(predictor: Predictor) -> None:
    with pytest.raises(DataError, match="label 'so-so' is none of the model's"):
        check_golden(predictor, rows_of([("a film", "so-so")]), "golden.csv")


def test_golden_texts_that_the_model_learned_from_are_counted(predictor: Predictor) -> None:
    learned = check_golden(predictor, rows_of(labelled_texts(["good", "bad"], 80)), "golden.csv").learned
    assert learned == 64  # training and validation rows


def test_models_of_several_labels_have_figures_of_their_own(trained_several: Path) -> None:
    from rnn_cli.data.label_sets import written_labels

    predictor = Predictor.open(trained_several, threads=1)
    rows = rows_of([(f"{text} x", written_labels(labels)) for text, labels in several_rows(60)], several=True)
    found = Found(measure_rows(predictor, rows))
    metrics = found.evaluation.metrics  # type: ignore[union-attr]
    for name in ("micro_f1", "macro_f1", "weighted_f1", "samples_f1", "exact_match", "ranking_precision", "map"):
        (judged_,) = judge(load_gates([f"{name} >= 0.5"]), found)
        assert judged_.value == getattr(metrics, name)
    (label,) = judge(load_gates(["f1[bill] >= 0.5 (lower bound)"]), found)
    assert label.interval == metrics.per_class["bill"].f1_interval
    (wrong,) = judge(load_gates(["hamming_loss <= 0.5"]), found)
    assert wrong.value == metrics.hamming_loss
    assert check_golden(predictor, rows, "golden.jsonl").rows == 60


FEW = (["a warm film 1", "dull 2"] * 10, ["good", "bad"] * 10)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("micro_f1 >= 0.9", "has one label a text, for which there is no such figure"),
        ("f1[so-so] >= 0.9", "the model has no label 'so-so'; it has bad, good"),
        ("behaviour.nonsense >= 0.9", "no such test: nonsense"),
        ("not worse than model by more than 0.1 in micro_f1", "such are compared in accuracy, macro_f1"),
    ],
)
def test_a_gate_that_this_model_cannot_have_is_an_error(line: str, what: str, trained: Path) -> None:
    with pytest.raises(ConfigError, match="gate 1: ") as caught:
        rnn.check_model(trained, FEW, gates=[line])
    assert what in str(caught.value)


def test_several_labels_have_no_accuracy_and_no_behaviour(trained_several: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        rnn.check_model(trained_several, gates=["accuracy >= 0.9", "behaviour.negation >= 0.9", "micro_f1 >= 0.1"])
    assert [each.where for each in caught.value.mistakes] == ["gate 1", "gate 2"]


def test_a_model_is_not_worse_than_itself_but_not_surely(trained: Path) -> None:
    data = ([text for text, _ in NEW], [label for _, label in NEW])
    lines = [f"not worse than {trained} by more than {most}" for most in ("0", "0 (paired)", "0.1 (paired)")]
    found = rnn.check_model(trained, data, gates=[*lines, f"{lines[0]} in macro_f1"])
    assert [each.passed for each in found.outcomes] == [True, False, True, True]
    assert "it may be worse by up to 0.0" in found.outcomes[1].reason
    assert not found.passed and found.failed == (lines[1],)


def test_a_rival_of_another_kind_is_refused_with_its_gate(trained: Path, trained_several: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        rnn.check_model(trained, FEW, gates=["accuracy >= 0", f"not worse than {trained_several} by more than 0"])
    (mistake,) = caught.value.mistakes
    assert mistake.where == "gate 2"
    assert f"the texts of {trained_several} have several labels each, those of the model one label" in mistake.what


def test_a_rival_that_learned_from_all_rows_is_named_with_its_gate(trained: Path, measured_by_folds: Path) -> None:
    """The model's own test rows are rows that the other, which has learned from the whole file, has seen."""
    line = f"not worse than {measured_by_folds} by more than 0"
    with pytest.raises(DataError) as caught:
        rnn.check_model(trained, gates=[line])
    assert caught.value.where == "gate 1"
    assert f"{line}: {measured_by_folds} was trained on all 16 rows" in str(caught.value)
    assert "data=FILE" in str(caught.value) and "include_seen" not in str(caught.value)
    rows = kept_test_rows(Bundle.open(trained))
    with pytest.raises(DataError, match="gate 1: .* was trained on all 16 rows.* include_seen=True"):
        rnn.check_model(trained, (rows.texts, rows.labels), gates=[line])
    assert len(rnn.check_model(trained, (rows.texts, rows.labels), gates=[line], include_seen=True).outcomes) == 1


def with_labels(model: Path, folder: Path, labels: list[str]) -> Path:
    """A copy of the model whose labels have other names."""
    copy = Forged(model, folder / "other")
    copy.sign(labels=labels)
    return copy.path


def test_a_rival_that_lacks_a_row_s_label_is_named_with_its_gate(trained: Path, tmp_path: Path) -> None:
    other = with_labels(trained, tmp_path, ["bad", "ok"])
    line = f"not worse than {other} by more than 0"
    with pytest.raises(DataError) as caught:
        rnn.check_model(trained, FEW, gates=[line])
    assert caught.value.where == "gate 1"
    assert f"{line}: {other} has no label good, which rows have; it has bad, ok" in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "what"),
    [("54321", "has its labels in another order"), ("12346", "has other labels")],
    ids=["order", "other"],
)
def test_a_rival_of_other_ordered_labels_is_refused_with_its_gate(
    labels: str, what: str, trained_ordered: Path, tmp_path: Path
) -> None:
    other = with_labels(trained_ordered, tmp_path, list(labels))
    line = f"not worse than {other} by more than 0"
    with pytest.raises(ConfigError) as caught:
        rnn.check_model(trained_ordered, gates=[line])
    assert str(caught.value).startswith(f"gate 1: {line}: {other} {what} ({', '.join(labels)}; the model: 1, 2, 3")


def test_ordered_models_are_compared_by_how_far_they_are_off(trained_ordered: Path) -> None:
    line = f"not worse than {trained_ordered} by more than 0 in mean_absolute_error"
    (found,) = rnn.check_model(trained_ordered, gates=[line]).outcomes
    assert (found.value, found.unit, found.passed) == (0.0, "labels", True)


def test_less_of_an_error_is_better() -> None:
    """Of 100 rows the first model is off by 1 in 20, the second in 10: the first is worse by 0.1 labels."""
    labels, truth = ("1", "2", "3"), np.zeros(100, np.intp)
    off = [np.array([1] * count + [0] * (100 - count), np.intp) for count in (20, 10)]
    worse, better = compare_ordered(labels, truth, *off), compare_ordered(labels, truth, *off[::-1])

    def judged(comparison: OrderedComparison, most: str, paired: str = "") -> GateOutcome:
        line = f"not worse than old by more than {most} in mean_absolute_error {paired}"
        (outcome,) = judge(load_gates([line]), Found(against={"old": comparison}))
        return outcome

    found = judged(worse, "0.05")
    assert (found.figure, found.demanded) == ("mean_absolute_error minus old", "<= 0.050")
    assert found.value == pytest.approx(0.1) and found.interval == worse.error_interval
    assert not found.passed and judged(worse, "0.11").passed and judged(better, "0").passed
    end = worse.error_interval[1]
    assert judged(worse, f"{end + 0.001:.4f}", "(paired)").passed
    unsure = judged(worse, f"{end - 0.001:.4f}", "(paired)")
    assert not unsure.passed and unsure.reason == f"on 100 rows it may be worse by up to {end:.3f}"


def test_labels_without_an_order_have_no_error_to_compare(trained: Path) -> None:
    with pytest.raises(ConfigError, match="such are compared in accuracy, macro_f1$"):
        rnn.check_model(trained, FEW, gates=[f"not worse than {trained} by more than 0 in mean_absolute_error"])


def test_out_of_fold_rows_are_held_against_another_model(
    measured_by_folds: Path, trained: Path, tmp_path: Path
) -> None:
    """What the folds predicted counts, not the model, which has learned from the rows: in a copy all of it is wrong."""
    copy = Forged(measured_by_folds, tmp_path / "copy")
    with (copy.path / "predictions.csv").open(encoding="utf-8", newline="") as stream:
        head, *rows = csv.reader(stream)
    at = {name: column for column, name in enumerate(head)}
    for row in rows:
        row[at["prediction"]] = {"good": "bad", "bad": "good"}[row[at["label"]]]
    written = io.StringIO()
    csv.writer(written).writerows([head, *rows])
    copy.write("predictions.csv", written.getvalue())
    (found,) = rnn.check_model(copy.path, gates=[f"not worse than {trained} by more than 1"]).outcomes
    theirs = rnn.evaluate(trained).metrics  # of the 80 rows, the 16 that the other has not learned from
    assert isinstance(theirs, Metrics) and theirs.rows == 16
    assert found.value == pytest.approx(0 - theirs.accuracy)
