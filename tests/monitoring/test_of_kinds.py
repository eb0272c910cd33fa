"""Drift of models of numbers, and of other columns of a row."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import rnn_cli as rnn
from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.monitoring.features import MISSING_VALUE, of_numbers
from rnn_cli.monitoring.summary import TextsSummary, kept_summary
from rnn_cli.scoring.predictor import Predictor
from tests.conftest import numbered_rows, priced_rows


def write_numbers(file: Path, rows: list[tuple[str, str]]) -> Path:
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([("text", "minutes"), *rows])
    return file


def test_predicted_numbers_and_how_far_they_are_off_are_compared(trained_number: Path, tmp_path: Path) -> None:
    new = numbered_rows(330)[200:]
    found = rnn.drift(trained_number, write_numbers(tmp_path / "same.csv", new), labelled=True)
    shifts = {each.feature: each for each in found.shifts}
    assert not found.is_sure and found.side == "test" and "label" not in shifts and "confidence" not in shifts
    model = Predictor.open(trained_number)
    predicted = model.predict_numbers([text for text, _ in new])
    fresh = predicted if not found.learned else None
    if fresh is not None:
        assert shifts["number"].now == pytest.approx(fresh.mean(), rel=1e-6)
        off = np.abs(fresh - [float(number) for _, number in new])
        assert shifts["error"].now == pytest.approx(off.mean(), rel=1e-6)
    kept = json.loads((trained_number / "metrics.json").read_text())["test"]
    assert shifts["error"].then == pytest.approx(kept["mean_absolute_error"], rel=1e-6)
    assert shifts["error"].rows_then == kept["rows"]
    higher = [(f"{text} superb superb", str(float(number) - 300)) for text, number in new]
    worse = rnn.drift(trained_number, write_numbers(tmp_path / "worse.csv", higher), labelled=True)
    sure = {each.feature for each in worse.shifts if each.is_sure}
    assert {"number", "error"} <= sure


def test_each_other_column_is_compared(trained_columns: Path, priced_file: Path, tmp_path: Path) -> None:
    summary = kept_summary(Bundle.open(trained_columns))
    assert TextsSummary.from_bytes(summary.to_bytes()).histograms == summary.histograms
    names = [name for name in summary.histograms if name.startswith("column ")]
    assert "column price" in names and len(names) == len(Predictor.open(trained_columns).columns)
    assert summary.histograms["column price"].is_ordered
    rows = priced_rows(260)[100:]
    dear = [{**row, "price": str(1e4 + place)} for place, row in enumerate(rows)]
    for name, given, differs in (("same.csv", rows, False), ("dear.csv", dear, True)):
        with (tmp_path / name).open("w", newline="") as stream:
            writer = csv.DictWriter(stream, [*given[0]])
            writer.writeheader()
            writer.writerows(given)
        found = {each.feature: each for each in rnn.drift(trained_columns, tmp_path / name).shifts}
        assert {*names} <= {*found} and found["column price"].is_sure is differs
    assert found["column price"].now == pytest.approx(1e4 + 79.5, rel=0.01)


def test_missing_numbers_of_a_column_have_a_bin() -> None:
    found = of_numbers("column price", np.array([0.1, np.nan, -9.0, 1e300]))
    assert found.rows == 4 and found.counts[MISSING_VALUE] == 1 and found.counts["below"] == 1
    assert found.counts["10"] == 1 and found.mean == pytest.approx((0.1 - 9 + 1e9) / 3)
