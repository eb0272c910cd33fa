import json
import subprocess
import sys
from pathlib import Path

from .conftest import Rnn, files_below


def test_the_newest_run_is_exported_and_answers_alike(newest: Path, rnn: Rnn, process: Rnn) -> None:
    ended = process("export", "--to", "my classifier")
    assert (ended.code, ended.err) == (0, "")
    model, following = ended.out.splitlines()
    assert model.startswith("Model  my classifier  (fp32, 0.2 MB)")
    assert following == """Next   python 'my classifier/predict.py' "A sentence of your own.\""""
    texts = ["a warm film", "a dull film"]
    script = subprocess.run(
        [sys.executable, "my classifier/predict.py", *texts], capture_output=True, text=True, timeout=60
    )
    assert script.stdout == rnn("predict", *texts).out == rnn("predict", "--model", "my classifier", *texts).out
    assert script.stdout.startswith("good\t0.")


def test_the_export_is_measured_as_the_model_is(newest: Path, labelled_file: Path, rnn: Rnn) -> None:
    assert rnn("export", "--to", "out").code == 0
    words = ["evaluate", "--data", str(labelled_file), "--include-seen", "--json"]
    exported, kept = (json.loads(rnn(*words, *more).out) for more in (["--model", "out"], []))
    # A stranger is not given what it learned from, nor how good it was on other rows.
    assert exported.pop("seen")["seen"] is None and kept.pop("seen")["seen"] == 64
    assert exported == kept


def test_what_an_export_lacks_is_told_in_one_line(newest: Path, rnn: Rnn) -> None:
    assert rnn("export", "--to", "out").code == 0
    for words in (
        ["evaluate", "--model", "out"],
        ["evaluate", "--model", "out", "--goal", "f1"],
        ["compare", "out", "out"],
        ["train", "--from", "out"],
    ):
        ended = rnn(*words)
        assert (ended.code, ended.out) == (2, ""), words
        assert ended.err.startswith("Error: ") and ended.err.count("\n") == 1, ended.err


def test_without_a_model_or_a_place_nothing_is_written(home: Path, trained: Path, rnn: Rnn) -> None:
    assert rnn("export", "--to", "out").err.startswith("Error: no trained model in runs/")
    assert "Missing option '--to'" in rnn("export", "--model", str(trained)).err
    assert files_below(home) == {}


def test_an_export_in_8_bits_answers_as_the_model_does_so(home: Path, trained: Path, rnn: Rnn) -> None:
    assert rnn("export", "--model", str(trained), "--to", "out", "--precision", "int8").code == 0
    words = ("--precision", "int8", "--format", "jsonl", "a warm film", "dull")
    predicted = [rnn("predict", "--model", model, *words) for model in (str(trained), "out")]
    assert predicted[0].code == 0 and predicted[0] == predicted[1]
    assert rnn("predict", "--model", "out", *words[2:]) == predicted[0]
