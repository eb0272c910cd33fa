"""A model that reads other columns, exported."""

import subprocess
import sys
from pathlib import Path

import pytest

from rnn_cli.bundle.model_folder import COLUMNS_FILE, Bundle
from rnn_cli.export.export import export_bundle
from rnn_cli.scoring.predictor import Predictor

VALUES = ["--column", "price=14", "--column", "country=FR"]


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_the_script_predicts_with_them(precision: str, trained_columns: Path, tmp_path: Path):
    to = tmp_path / "exported"
    export_bundle(Bundle.open(trained_columns), to, precision=precision)  # type: ignore[arg-type]
    assert (to / COLUMNS_FILE).read_bytes() == (trained_columns / COLUMNS_FILE).read_bytes()
    assert "--column price=VALUE" in (to / "README.md").read_text()

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", str(to / "predict.py"), *words], capture_output=True, text=True, cwd=tmp_path
        )

    found = run(*VALUES, "the warm film")
    predictor = Predictor.open(to)
    (expected,) = predictor.predict("the warm film", columns={"price": 14, "country": "FR"})
    assert found.stdout == f"{expected.label}\t{expected.probability:.6f}\n" and found.stderr == ""
    assert run("the film").stderr.startswith("Warning: no value of price, country is given")
    wrong = run("--column", "prize=3", "the film")
    assert wrong.returncode == 2 and "reads no column 'prize'" in wrong.stderr
    assert run("--column", "price", "a").returncode == 2
