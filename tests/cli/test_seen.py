"""Rows that a model learned from are never measured on silently: `rnn evaluate`, `rnn compare`, `rnn score`."""

import csv
import json
import shutil
from pathlib import Path

import pytest

import rnn_cli as rnn_package
from rnn_cli.bundle.learned import learned_texts
from rnn_cli.bundle.model_folder import LEARNED, Bundle
from rnn_cli.errors import DataError
from tests.conftest import labelled_texts, write_csv
from tests.forge import Forged

from .conftest import Rnn

NEW = [(f"{text} {row}", label) for row, (text, label) in enumerate(labelled_texts(["good", "bad"], 30))]


@pytest.fixture
def learned(trained: Path) -> list[tuple[str, str]]:
    """The training and validation rows, in another spelling."""
    rows = labelled_texts(["good", "bad"], 80)
    known = learned_texts(Bundle.open(trained))
    assert known is not None
    marks = known.knows([text for text, _ in rows])
    return [(f" {text.upper()}!", label) for (text, label), is_one in zip(rows, marks, strict=True) if is_one]


def without_hashes(trained: Path, to: Path) -> str:
    """The same model as an earlier release wrote it."""
    forged = Forged(trained, to)
    (to / LEARNED).unlink()
    forged.sign(files={name: proof for name, proof in forged.manifest["files"].items() if name != LEARNED})
    return str(to)


def test_the_file_it_was_trained_on_gives_the_figures_of_the_test_rows(
    rnn: Rnn, newest: Path, labelled_file: Path
) -> None:
    test = json.loads((newest / "metrics.json").read_text())["test"]
    code, out, err = rnn("evaluate", "--data", str(labelled_file), "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert told.pop("seen") == {
        "rows": 80,
        "seen": 64,
        "is_partly_unknown": False,
        "included": False,
        "models": 1,
    }
    assert (told["rows"], told["accuracy"], told["log_loss"]) == (16, test["accuracy"], pytest.approx(test["log_loss"]))
    shown = rnn("evaluate", "--data", str(labelled_file)).out
    assert "learned from 64 of these 80 rows: they are left out (--include-seen" in " ".join(shown.split())


def test_only_when_asked_for_are_they_mixed_in_and_it_is_said(rnn: Rnn, newest: Path, labelled_file: Path) -> None:
    code, out, err = rnn("evaluate", "--data", str(labelled_file), "--include-seen")
    assert (code, err) == (0, "")
    assert "learned from 64 of these 80 rows, and they are included: the figures are too good." in " ".join(out.split())
    assert rnn_package.evaluate(newest, labelled_file, include_seen=True).metrics.rows == 80


def test_where_all_rows_were_seen_there_are_no_figures(
    rnn: Rnn, trained: Path, learned: list[tuple[str, str]], tmp_path: Path
) -> None:
    file = write_csv(tmp_path / "seen.csv", learned)
    code, out, err = rnn("evaluate", "--model", str(trained), "--data", str(file))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and "the model was trained on all 64 rows" in err
    assert "measure on these all the same with --include-seen" in err
    with pytest.raises(DataError, match="include_seen=True"):
        rnn_package.evaluate(trained, file)
    assert rnn_package.evaluate(trained, file, include_seen=True).metrics.rows == 64


def test_new_rows_are_measured_and_said_to_be_new(rnn: Rnn, trained: Path, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "new.csv", NEW)
    out = rnn("evaluate", "--model", str(trained), "--data", str(file), "--by", "label").out
    assert "learned from none of these 30 rows." in out


def test_new_rows_are_held_against_those_of_the_training_and_against_one_prediction(
    rnn: Rnn, trained: Path, tmp_path: Path
) -> None:
    wrong = {"good": "bad", "bad": "good"}
    for name, rows, said in (
        ("same", NEW, "no difference beyond chance"),
        ("changed", [(text, wrong[label]) for text, label in NEW], "so it is no longer as good."),
    ):
        file = write_csv(tmp_path / f"{name}.csv", rows)
        lines = rnn("evaluate", "--model", str(trained), "--data", str(file)).out.splitlines()
        (line,) = [line for line in lines if line.startswith("Accuracy is ")]
        assert "on the 16 test rows" in line and said in line
        assert any(line.startswith("Always predicting bad would be right in 50.0% of the 30 rows") for line in lines)
        assert any(line.startswith("On so few rows (30) a figure says little") for line in lines)
    found = rnn_package.evaluate(trained, tmp_path / "changed.csv")
    assert found.since_training is not None and found.since_training.interval[1] < 0
    assert found.to_dict()["since_training"]["side"] == "test"
    # Another decision, or rows that were learned from, are not what the training's figures are of.
    assert rnn_package.evaluate(trained, tmp_path / "changed.csv", threshold=0.9).since_training is None


def test_slices_are_of_the_rows_that_are_left(trained: Path, learned: list[tuple[str, str]], tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    rows = [(*row, "seen") for row in learned[:40]] + [(*row, "new") for row in NEW]
    table = pandas.DataFrame(rows, columns=["text", "label", "kind"])
    table.to_csv(tmp_path / "both.csv", index=False)
    for data in (table, tmp_path / "both.csv"):
        found = rnn_package.evaluate(trained, data, by="kind")
        assert [(each.name, each.rows) for each in found.slices] == [("new", 30)]


def test_of_an_earlier_release_it_is_not_known(rnn: Rnn, trained: Path, labelled_file: Path, tmp_path: Path) -> None:
    old = without_hashes(trained, tmp_path / "old")
    code, out, err = rnn("evaluate", "--model", old, "--data", str(labelled_file))
    assert (code, err) == (0, "")
    assert "It is not known which of these rows the model learned from" in " ".join(out.split())
    assert rnn("predict", "--model", old, "a warm film").code == 0


def test_models_are_compared_on_rows_that_none_of_them_learned_from(
    rnn: Rnn, trained: Path, learned: list[tuple[str, str]], tmp_path: Path
) -> None:
    shutil.copytree(trained, tmp_path / "same")
    file = write_csv(tmp_path / "both.csv", [*learned[:10], *NEW])
    words = ["compare", str(trained), str(tmp_path / "same"), "--data", str(file)]
    code, out, err = rnn(*words)
    assert (code, err) == (0, "") and "The models learned from 10 of these 40 rows: they are left out" in " ".join(
        out.split()
    )
    assert json.loads(rnn(*words, "--json").out)["rows"] == 30
    assert json.loads(rnn(*words, "--json", "--include-seen").out)["rows"] == 40


@pytest.mark.parametrize("command", ["evaluate", "compare"])
def test_the_option_is_for_data(rnn: Rnn, newest: Path, command: str) -> None:
    code, _, err = rnn(command, *([str(newest)] * 2 if command == "compare" else []), "--include-seen")
    assert code == 2 and "--include-seen is about --data, which is not given" in err


def test_scoring_labelled_rows_says_how_many_were_learned_from(
    rnn: Rnn, trained: Path, learned: list[tuple[str, str]], home: Path
) -> None:
    with (home / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "sentiment"), *learned[:10], *NEW])
    write_csv(home / "texts.csv", [(text, "x") for text, _ in learned[:10]])
    text = (home / "texts.csv").read_text().replace("label", "by")
    (home / "texts.csv").write_text(text)
    words = ["score", "--model", str(trained), "--output", str(home / "out.csv")]
    assert "the model was trained on 10 of these rows" in rnn(*words, "rows.csv").err
    assert "learned from" not in rnn(*words, "texts.csv", "--force").err


@pytest.mark.parametrize("is_earlier", [False, True])
def test_the_test_rows_are_found_again_as_the_run_split_them(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_earlier: bool
) -> None:
    from rnn_cli.data.splits import load_splits
    from rnn_cli.evaluation import evaluate

    forged = Forged(trained, tmp_path / "forged")
    data = forged.manifest["data"]
    assert data["near_copies_together"] is True
    if is_earlier:
        del data["near_copies_together"]
        forged.sign(data=data)
    asked = []
    monkeypatch.setattr(
        evaluate, "load_splits", lambda config, near: asked.append(near) or load_splits(config, near=near)
    )
    assert len(evaluate.kept_test_rows(Bundle.open(forged.path))) == 16
    assert asked == [not is_earlier]


def test_predict_reads_nothing_of_it(rnn: Rnn, trained: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    content = bytearray((copy / LEARNED).read_bytes())
    content[-1] ^= 1
    (copy / LEARNED).write_bytes(content)
    assert rnn("predict", "--model", str(copy), "a warm film").code == 0
    code, _, err = rnn("evaluate", "--model", str(copy), "--data", str(write_csv(tmp_path / "new.csv", NEW)))
    assert code == 2 and "checksum differs" in err


def test_hashes_with_a_right_checksum_and_wrong_content_are_refused(trained: Path, tmp_path: Path) -> None:
    from rnn_cli.errors import BundleError

    forged = Forged(trained, tmp_path / "forged")
    forged.write(LEARNED, b"x" * 64)
    with pytest.raises(BundleError, match="not the texts' hashes"):
        learned_texts(Bundle.open(forged.path))
