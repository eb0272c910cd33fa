"""`rnn compare`: runs and files of answers on the same rows."""

import csv
import json
import random
import shutil
from pathlib import Path

import pytest
from rich.cells import cell_len

from rnn_cli.bundle.model_folder import PREDICTIONS

from .conftest import Rnn, on_a_terminal


@pytest.fixture
def rows(newest: Path) -> list[dict[str, str]]:
    """The newest run's answers to its 16 test rows."""
    with (newest / PREDICTIONS).open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["split"] == "test"]


def write(file: Path, rows: list[dict[str, str]], wrong: int) -> str:
    """Answers to the same rows in another order, of which so many are wrong; no probabilities."""
    other = {"good": "bad", "bad": "good"}
    predicted = [
        {
            "text": row["text"],
            "label": row["label"],
            "prediction": other[row["label"]] if place < wrong else row["label"],
        }
        for place, row in enumerate(rows)
    ]
    random.Random(4).shuffle(predicted)
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["text", "label", "prediction"])
        writer.writeheader()
        writer.writerows(predicted)
    return file.name


def test_a_run_and_anyones_answers(rnn: Rnn, newest: Path, rows: list[dict[str, str]], home: Path) -> None:
    code, out, err = rnn("compare", "runs/quick-1", write(home / "poor.csv", rows, wrong=14))
    assert (code, err) == (0, "")
    right = sum(row["label"] == row["prediction"] for row in rows)
    assert right > 12
    head, _, one, two, *_ = out.splitlines()
    assert head.split("  ")[0] == "16 test rows"
    assert one.split()[:2] == ["runs/quick-1", f"{right / 16:.1%}"] and one[-5:-3] == "0."
    assert two.split()[:2] == ["poor.csv", "12.5%"] and two.endswith(" –")  # no log loss without probabilities
    assert out.splitlines()[-1].startswith("poor.csv is really worse than runs/quick-1 (alone right in ")
    told = json.loads(rnn("compare", "runs/quick-1", "poor.csv", "--json").out)
    assert told["rows"] == 16
    first, other = told["models"]
    written = json.loads((newest / "metrics.json").read_text())["test"]
    assert (first["accuracy"], first["macro_f1"]) == (written["accuracy"], pytest.approx(written["macro_f1"]))
    assert first["log_loss"] == pytest.approx(written["log_loss"])
    assert first["against_first"] is None and other["log_loss"] is None
    assert other["against_first"]["difference"] == pytest.approx(2 / 16 - right / 16)


def test_models_whose_names_end_alike_can_be_told_apart(
    rnn: Rnn, newest: Path, rows: list[dict[str, str]], home: Path
) -> None:
    end = "the/same/long/folder/for/all/answers.csv"
    for name, wrong in (("one", 3), ("two", 9)):
        (home / name / end).parent.mkdir(parents=True)
        write(home / name / end, rows, wrong)
    code, out, err = rnn("compare", f"one/{end}", f"two/{end}")
    assert (code, err) == (0, "")
    _, _, first, second, *_ = out.splitlines()
    assert first[:28].split("  ")[0] != second[:28].split("  ")[0]


def test_chance_is_called_so(rnn: Rnn, rows: list[dict[str, str]], home: Path) -> None:
    names = [write(home / f"{wrong}.csv", rows, wrong) for wrong in (3, 1)]
    out = rnn("compare", *names).out
    assert "\n1.csv and 3.csv cannot be told apart on these 16 rows (alone right in 2 rows, the other in 0).\n" in out
    assert "  p\n" in out and "Holm" not in out
    assert "1.csv and 1.csv make the same mistakes.\n" in rnn("compare", "1.csv", "1.csv").out
    assert "log loss" not in out


def test_of_several_models_the_p_values_are_corrected(rnn: Rnn, rows: list[dict[str, str]], home: Path) -> None:
    names = [write(home / f"{wrong}.csv", rows, wrong) for wrong in (8, 2, 0)]
    out = rnn("compare", *names).out
    assert "  p (Holm)\n" in out
    # 2 of 64 and of 256 coins: 0.03125 and 0.0078125, this one twice; alone, both would differ.
    assert [line.split()[-1] for line in out.splitlines() if line.startswith(("2.csv  ", "0.csv  "))][-2:] == [
        "0.031",
        "0.016",
    ]


def test_an_interval_that_leaves_out_0_beside_chance_is_explained(tmp_path: Path, rnn: Rnn) -> None:
    def predicted(name: str, wrong: set[int]) -> str:
        lines = [f"{row},good,{'bad' if row in wrong else 'good'}" for row in range(200)]
        (tmp_path / name).write_text("\n".join(["id,label,prediction", *lines]))
        return name

    # Right alone in 9 and in 1 of 200 rows: p = 0.021, twice that of two such comparisons, and three times of three.
    first, other = predicted("first.csv", set(range(9))), predicted("other.csv", {9})
    more = [predicted(name, set(range(1, 10))) for name in ("third.csv", "fourth.csv")]
    told = " ".join(rnn("compare", first, other).out.split())
    assert "other.csv is really better than first.csv" in told and "leaves out 0" not in told
    told = " ".join(rnn("compare", first, other, *more).out.split())
    assert (
        "other.csv and first.csv cannot be told apart on these 200 rows (alone right in 9 rows, the other in 1). Its "
        "interval leaves out 0, as it is of this comparison alone, in which p is 0.021; of several comparisons some "
        "look so by chance, for which Holm's p allows."
    ) in told
    assert told.count("leaves out 0") == 1
    # 11 rows against 3: p = 0.057.
    told = " ".join(rnn("compare", predicted("a.csv", set(range(11))), predicted("b.csv", {11, 12, 13})).out.split())
    assert told.endswith("in 3). Its interval just leaves out 0, as it is an approximation; the test is exact.")


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_it_fits_the_terminal(columns: int, rnn: Rnn, rows: list[dict[str, str]], home: Path) -> None:
    (home / "a rather long folder for files").mkdir()
    file = home / "a rather long folder for files" / "the answers of another program.csv"
    write(file, rows, 5)
    shown, (code, _, err) = on_a_terminal(
        "compare", "runs/quick-1", str(file.relative_to(home)), columns=columns, streams=["stdout"]
    )
    assert (code, err) == (0, "")
    assert "…another program.csv" in shown
    if columns >= 80:
        assert max(map(len, shown.splitlines())) <= columns


def test_another_splits_rows_are_refused_with_the_way_out(
    rnn: Rnn, newest: Path, rows: list[dict[str, str]], home: Path
) -> None:
    write(home / "less.csv", rows[1:], 0)
    code, out, err = rnn("compare", "runs/quick-1", "less.csv")
    assert (code, out) == (2, "")
    assert err.startswith("Error: less.csv: not the same rows as runs/quick-1: 1 is in runs/quick-1 only (")
    assert (
        "data.split_seed; to score them all on the same labelled rows, use --data FILE" in err and err.count("\n") == 1
    )


def test_on_a_file_all_models_answer_anew(rnn: Rnn, newest: Path, home: Path, labelled_file: Path) -> None:
    shutil.copytree(newest, home / "runs" / "quick-2")
    words = ["compare", "--data", str(labelled_file), "--include-seen", "runs/quick-1", "runs/quick-2"]
    code, out, err = rnn(*words)
    assert (code, err) == (0, "")
    assert out.partition("\n\n")[2].startswith("80 rows of reviews.csv  accuracy")
    evaluated = json.loads(rnn("evaluate", "--data", str(labelled_file), "--include-seen", "--json").out)
    for each in json.loads(rnn(*words, "--json").out)["models"]:
        assert {name: each[name] for name in ("accuracy", "log_loss", "macro_f1")} == pytest.approx(
            {name: evaluated[name] for name in ("accuracy", "log_loss", "macro_f1")}
        )
        for name in ("accuracy", "macro_f1", "log_loss"):
            assert each[f"{name}_interval"] == pytest.approx(evaluated["intervals"][name], abs=1e-6)


def test_validation_rows_too(rnn: Rnn, newest: Path) -> None:
    told = json.loads(rnn("compare", "runs/quick-1", "runs/latest", "--split", "validation", "--json").out)
    written = json.loads((newest / "metrics.json").read_text())["validation"]
    assert told["models"][1]["accuracy"] == written["accuracy"]
    assert told["models"][1]["log_loss"] == pytest.approx(written["log_loss"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["runs/quick-1"], "one model is not enough to compare; name two or more"),
        ([], "one model is not enough"),
        (["runs/quick-1", "nowhere"], "nowhere: no such run's folder, and no such file"),
        (["runs/quick-1", "runs"], "runs: not a trained model"),
        (["runs/quick-1", "runs/quick-1", "--split", "tset"], "runs/quick-1: has no tset rows; use --split with one"),
        (["runs/quick-1", "runs/quick-1", "--set", "data.delimiter=;"], "--set tells how to read --data"),
        (["--data", "nowhere.csv", "runs/quick-1", "runs/quick-1"], "nowhere.csv: no such file"),
    ],
)
def test_what_cannot_be_compared(words: list[str], told: str, rnn: Rnn, newest: Path) -> None:
    code, out, err = rnn("compare", *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"Error: {told}") and err.count("\n") == 1


def test_damaged_answers_are_refused(rnn: Rnn, newest: Path) -> None:
    content = (newest / PREDICTIONS).read_bytes()
    (newest / PREDICTIONS).write_bytes(content.replace(b"good", b"evil", 1))
    code, out, err = rnn("compare", "runs/quick-1", "runs/quick-1")
    assert (code, out) == (2, "")
    assert "predictions.csv: checksum differs" in err


def test_long_names_of_wide_characters_are_cut_at_their_start(
    rnn: Rnn, newest: Path, rows: list[dict[str, str]], home: Path
) -> None:
    names = [f"{'很長的名字' * 5}{number}.csv" for number in "一二"]
    for name in names:
        write(home / name, rows, wrong=3)
    lines = rnn("compare", *names).out.splitlines()
    for name, line in zip(names, lines[2:4], strict=True):
        shown = line.split("  ")[0]
        assert shown.startswith("…") and shown.endswith(name[-5:]) and 18 <= cell_len(shown) <= 20
    assert len({cell_len(line) for line in lines[1:2]} | {cell_len(line) for line in lines[2:4]}) <= 2
