"""`rnn tune` as a command: what it prints, and what it refuses before any work."""

from pathlib import Path

import pytest

from tests.cli.conftest import Rnn, tiny_overrides

SPACE = """
model: {ngrams: 1, ngram_buckets: 256}
tune:
  halving: epochs
  model.ngrams: [1, 2]
"""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--minutes", "0"], "minutes: expected at least 1, got 0"),
        (["--minutes", "nan"], "minutes: expected at least 1, got nan"),
        (["--trials", "1"], "trials: expected at least 2, got 1; the linear model is the first"),
        (["--jobs", "0"], "jobs: expected 1 to 256, got 0"),
        (["--ray-address", "there:1"], "ray_address: is for the engine ray; add --engine ray"),
        (["--distil", "--set", "training.folds=3", "--set", "data.test=0"], "distil: is measured on validation rows"),
        (["--goal", "speed"], "no such goal of one label a text: speed"),
        (["--max-bytes", "small"], "--max-bytes: expected a number above 0 with a unit, got 'small'; as 5MB"),
        (["--max-latency", "0ms"], "--max-latency: expected a number above 0 with a unit, got '0ms'; as 1ms"),
        (["--set", "model.units=[0]"], "model.units"),
        (["--resume"], "a search goes on as it began"),
        (["--out", "there"], "there: exists and is not a trained model"),
    ],
)
def test_it_refuses_in_one_line(words: list[str], told: str, rnn: Rnn, home: Path, labelled_file: Path):
    (home / "there").mkdir()
    (home / "there" / "mine.txt").write_text("mine")
    ended = rnn("tune", str(labelled_file), *words)
    *_, last = ended.err.strip().splitlines()
    assert ended.code == 2 and last.startswith("Error: ") and told in last
    assert [file.name for file in home.iterdir()] == ["there"]


def test_a_broken_space_names_its_key(rnn: Rnn, home: Path, labelled_file: Path):
    (home / "a.yaml").write_text(f"data: {{source: {labelled_file}}}\ntune: {{model.unit: [[1], [2]]}}\n")
    ended = rnn("tune", "a.yaml", "--trials", "2")
    assert ended.code == 2
    assert "a.yaml: tune.model.unit: no such key; did you mean model.units?" in ended.err
    assert not (home / "runs").exists()


def test_it_writes_a_run_that_predicts(rnn: Rnn, home: Path, labelled_file: Path, tiny: dict[str, dict[str, object]]):
    (home / "a.yaml").write_text(f"data: {{source: {labelled_file}, validation: 0.2, test: 0.2}}{SPACE}")
    ended = rnn("tune", "a.yaml", "--trials", "3", "--goal", "accuracy", *tiny_overrides(tiny))
    assert ended.code == 0, ended.err
    assert "trial 0: " in ended.err and "linear model" in ended.err
    assert "Config runs/a-1.tune/best.yaml" in ended.out and "Corrected for having been chosen" in ended.out
    page = (home / "runs/a-1.tune/tune.html").read_text()
    assert "<script" not in page and "The best configs" in page
    assert rnn("predict", "a warm film").code == 0
    listed = rnn("runs", "list").out
    assert "a-1" in listed and ".tune" not in listed
    again = rnn("tune", "a.yaml", "--trials", "3", "--out", "runs/a-1")
    assert again.code == 2 and "exists" in again.err
    assert rnn("train", "runs/a-1.tune/best.yaml", "--out", "again").code == 0
    assert (home / "again/model.onnx").read_bytes() == (home / "runs/a-1/model.onnx").read_bytes()


def test_nothing_to_go_on_with(rnn: Rnn):
    ended = rnn("tune", "--resume")
    assert (ended.code, ended.err) == (2, "Error: no search in runs/; name one with --resume DIR\n")
