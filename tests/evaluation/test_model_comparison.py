"""Models on the same rows: aligned whatever the order, refused if the rows differ, compared with the first."""

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnn_cli.errors import DataError
from rnn_cli.evaluation.compare import LabelledPredictions, compare_models, compare_predictions, read_predictions

ROWS = 60
TRUTH = ["good" if row % 3 else "bad" for row in range(ROWS)]
OTHER = {"good": "bad", "bad": "good"}


def model(name: str, wrong: set[int], **more: object) -> LabelledPredictions:
    predictions = [OTHER[label] if row in wrong else label for row, label in enumerate(TRUTH)]
    texts = [f"text {row}" for row in range(ROWS)]
    return replace(LabelledPredictions(name, {"text": texts}, TRUTH, predictions, None), **more)  # type: ignore[arg-type]


def shuffled(predicted: LabelledPredictions, seed: int) -> LabelledPredictions:
    order = random.Random(seed).sample(range(len(predicted.labels)), len(predicted.labels))
    return LabelledPredictions(
        predicted.name,
        {name: [column[place] for place in order] for name, column in predicted.keys.items()},
        [predicted.labels[place] for place in order],
        [predicted.predictions[place] for place in order],
        None if predicted.log_losses is None else predicted.log_losses[order],
    )


def test_the_order_of_rows_does_not_matter() -> None:
    first, other = model("a", set(range(10))), model("b", set(range(5, 30)))
    comparison_of_models = compare_models([first, other])
    assert compare_models([first, shuffled(other, 3)]) == comparison_of_models
    one, two = comparison_of_models.models
    assert (one.accuracy, two.accuracy) == (50 / 60, 35 / 60)
    assert one.against_first is one.p_corrected is None
    found = two.against_first
    # Rows 0 to 4 only the second has right, 10 to 29 only the first.
    assert found and (found.only_first_right, found.only_second_right) == (5, 20)
    assert found.difference == pytest.approx(-15 / 60)
    assert two.p_corrected == found.p_value


def test_each_models_figures_have_intervals_whatever_the_order_of_its_rows() -> None:
    losses = np.linspace(0.1, 1.2, ROWS) ** 2
    first, other = model("a", set(range(10))), model("b", set(range(20)), log_losses=losses)
    one, two = compare_models([first, shuffled(other, 7)]).models
    assert one.log_loss is None is one.log_loss_interval
    assert one.macro_f1_interval[0] < one.macro_f1 < one.macro_f1_interval[1]
    assert two.log_loss_interval and two.log_loss_interval[0] < two.log_loss < two.log_loss_interval[1]
    assert two == compare_models([first, other]).models[1]


def test_equal_texts_are_each_taken_once() -> None:
    keys = {"text": ["same"] * 30 + [f"text {row}" for row in range(30)]}
    first, other = model("a", {0, 40}, keys=keys), model("b", {40}, keys=keys)
    found = compare_models([first, shuffled(other, 1)]).models[1].against_first
    assert found and (found.only_first_right, found.only_second_right) == (1, 0)


def test_rows_that_are_not_the_same_are_told() -> None:
    first, other = model("runs/a", set()), model("runs/b", set())
    less = LabelledPredictions(
        "runs/b", {"text": other.keys["text"][:57] + ["new"]}, TRUTH[:58], other.predictions[:58], None
    )
    with pytest.raises(DataError) as caught:
        compare_models([first, less])
    assert str(caught.value).startswith(
        "runs/b: not the same rows as runs/a: 3 are in runs/a only ('text 57', 'text 58', ...), "
        "1 is in runs/b only ('new'); "
        "runs keep the same rows for their test only with the same data and data.split_seed; "
        "to score them all on the same labelled rows, use data=FILE"
    )
    texts, labels = [*other.keys["text"], "text 1"], [*TRUTH, "good"]
    twice = LabelledPredictions("b", {"text": texts}, labels, labels, None)
    with pytest.raises(DataError, match=r"a: 1 is in b only \('text 1'\);"):
        compare_models([model("a", set()), twice])


def test_rows_told_as_examples_can_be_told_apart() -> None:
    texts = [f"a film that begins like all the others do and ends as number {row}" for row in range(ROWS)]
    first, other = model("a", set(), keys={"text": texts}), model("b", set(), keys={"text": texts[::-1]})
    with pytest.raises(DataError) as caught:
        compare_models([first, other])
    one, two = str(caught.value).split("a only (")[1].split(", ...)")[0].split(", ")
    assert one != two and max(map(len, (one, two))) <= 35


def test_rows_of_other_labels_are_not_the_same() -> None:
    labels = ["good", *TRUTH[1:]]
    with pytest.raises(DataError, match=r"1 is in a only \('text 0'\), 1 is in b only .*, 1 of them have other labels"):
        compare_models([model("a", set()), model("b", set(), labels=labels)])


def test_rows_are_told_by_what_all_have() -> None:
    ids = [str(row) for row in range(ROWS)]
    by_id, by_both = model("a", {3}, keys={"id": ids}), model("b", set(), keys={"id": ids, "text": ["x"] * ROWS})
    assert compare_models([by_both, shuffled(by_id, 2)]).models[1].accuracy == 59 / 60
    with pytest.raises(DataError, match="c: has no column that identifies its rows as those of a"):
        compare_models([by_id, model("c", set())])


def test_more_than_two_are_corrected_for_their_number() -> None:
    comparison_of_models = compare_models(
        [model("a", set(range(12))), model("b", set(range(6))), model("c", set(range(4)))]
    )
    b, c = comparison_of_models.models[1:]
    assert b.against_first and c.against_first
    assert c.p_corrected == 2 * c.against_first.p_value  # the smaller
    assert b.p_corrected == b.against_first.p_value
    truth = np.array([label == "good" for label in TRUTH]).astype(int)
    given = [np.where(np.arange(ROWS) < wrong, 1 - truth, truth) for wrong in (6, 12)]
    assert b.against_first == compare_predictions(truth, *given, labels=2)


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_file_of_anyones_answers(tmp_path: Path) -> None:
    name = write(tmp_path / "a.csv", "id,label,prediction,probability\n1,x,x,0.9\n2,x,y,0.8\n3,y,y,0.6\n")
    predicted = read_predictions(name, "test")
    assert (predicted.keys, predicted.labels, predicted.predictions) == (
        {"id": ["1", "2", "3"]},
        ["x", "x", "y"],
        ["x", "y", "y"],
    )
    assert predicted.log_losses == pytest.approx(-np.log([0.9, 0.2, 0.6]))
    records = [{"text": "t", "label": 1, "prediction": 2}, {"text": "u", "label": 3, "prediction": 3}]
    name = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, records)))
    predicted = read_predictions(name, "test")
    assert (predicted.labels, predicted.predictions, predicted.log_losses) == (["1", "3"], ["2", "3"], None)


def test_of_three_labels_the_true_ones_probability_is_not_known(tmp_path: Path) -> None:
    name = write(tmp_path / "a.csv", "id,label,prediction,probability\n1,x,x,0.9\n2,x,y,0.8\n3,z,z,0.6\n")
    assert read_predictions(name, "test").log_losses is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("text,label\nt,x\n", "no column 'prediction' (columns: 'text', 'label')"),
        ("text,label,Prediction\nt,x,x\n", "rename 'Prediction'"),
        ("label,prediction\nx,x\n", "no column 'text'"),
        ("text,label,prediction\nt,x,x\nt,x,\n", "a.csv:3: no prediction"),
        ("text,label,prediction,probability\nt,x,x,1.5\n", "a.csv:2: '1.5' is not a probability"),
        ("text,label,prediction,probability\nt,x,x,nan\n", "a.csv:2: 'nan' is not a probability"),
        ("text,label,prediction,split\nt,x,x,dev\n", "has no test rows; use --split with one of them: 'dev'"),
        ("text,label,prediction\n", "has no rows"),
        ("text,label,prediction\nt,x\n", "a.csv:2: 2 fields, expected 3"),
    ],
)
def test_a_file_that_cannot_be_compared(content: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_predictions(write(tmp_path / "a.csv", content), "test")
    assert told in str(caught.value)


def test_another_spelling_of_every_label_is_refused() -> None:
    keys = {"text": ["a", "b"]}
    ours = LabelledPredictions("ours", keys, ["good", "bad"], ["good", "good"], None)
    theirs = LabelledPredictions("theirs", keys, ["good", "bad"], ["Good", "Bad"], None)
    with pytest.raises(DataError, match="theirs.*'Bad'.*spell its predictions"):
        compare_models([ours, theirs])
