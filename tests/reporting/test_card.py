"""The model card: the right numbers, and Markdown that no label can break."""

import json
import re
from dataclasses import replace
from pathlib import Path

from rnn_cli.bundle.model_folder import CARD, INT8_MODEL, METRICS, Bundle
from rnn_cli.data.rows import Dataset
from rnn_cli.reporting.html import model_card

from .conftest import Gather


def table(card: str, head: str) -> dict[str, list[str]]:
    """A table's rows by their first cell."""
    lines = card[card.index(head) :].partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {first: rest for first, *rest in cells}


def test_the_bundles_card_tells_its_data_and_figures(trained: Path) -> None:
    opened = Bundle.open(trained)
    card = opened.read(CARD).decode("utf-8")
    metrics = json.loads(opened.read(METRICS))
    headings = re.findall(r"^## (.*)", card, re.MULTILINE)
    assert headings == ["Intended use", "Data", "How good it is", "Limits", "How to use it"]
    assert table(card, "| rows |") == {
        "all": ["48", "16", "16"],
        "bad": ["24", "8", "8"],
        "good": ["24", "8", "8"],
    }
    shown = table(card, "|  | network | 95% interval | linear baseline |")
    found = metrics["test"], metrics["baseline"]["test"]
    for name, key in {"macro F1": "macro_f1", "log loss": "log_loss", "Brier score": "brier"}.items():
        assert [shown[name][0], shown[name][2]] == [f"{each[key]:.3f}" for each in found]
        interval = found[0]["intervals"][key]
        assert shown[name][1] == ("{:.3f} to {:.3f}".format(*interval) if interval else "too few rows")
    assert "On the 16 test rows the network " in card
    assert opened.manifest.data["fingerprint"] in card
    assert "rnn predict --model . " in card
    assert ("--precision int8" in card) == metrics["int8"]["offered"] == (INT8_MODEL in opened.manifest.files)
    assert "reviews.csv" in card and "/reviews.csv" not in card


def test_the_card_tells_of_the_int8_graph_only_where_it_is(trained: Path, report_on: Gather) -> None:
    report = report_on(trained, [("warm", "good"), ("dull", "bad")])
    counts = {"train": Dataset("rows.csv", ["warm", "dull"], ["good", "bad"], [2, 3])}
    files = {name: proof for name, proof in report.manifest.files.items() if name != INT8_MODEL}
    without = replace(report, manifest=replace(report.manifest, files=files))
    assert "--precision int8" in model_card(report, counts)
    assert "int8" not in model_card(without, counts)


def test_the_card_tells_what_the_validation_rows_did(trained: Path, report_on: Gather) -> None:
    report = report_on(trained, [("warm", "good"), ("dull", "bad")])
    model = report.config.model.model_copy(update={"base": "general"})
    on_base = replace(report, config=report.config.model_copy(update={"model": model}))
    counts = {"train": Dataset("rows.csv", ["warm", "dull"], ["good", "bad"], [2, 3])}
    assert "Validation rows chose the best epoch;" in model_card(report, counts)
    assert "Validation rows calibrated the model;" in model_card(on_base, counts)
