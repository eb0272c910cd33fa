"""`rnn init` on odd tables: a config that loads and trains, or one line that says why there is none."""

import json
import random
from itertools import product
from pathlib import Path

import pytest
import yaml
from ruamel.yaml import YAML

from rnn_cli.config.load import load_config
from rnn_cli.training.prepare import prepare

from .conftest import Rnn

LABELS = ["yes", "no", "010", "1_000", "1:30", "~", "null", "1e5", "0x1F", ".inf", "true", "=", "<<", " a", "a\nb"]
LABELS += [
    "é",
    "日本",
    "'",
    "# x",
    "a: b",
    "x" * 3000,
    "-",
    "1.0",
    "\ufeffz",
    "{}",
    "*a",
    "!a",
    "|",
    "x\u2028y",
    "x\x85y",
]
TEXTS = [
    "",
    " ",
    "a",
    "the film was good",
    "日本語映画面白退屈俳優音楽",
    "x " * 2000,
    "y" * 9000,
    "\n",
    "\u200b",
    "!!!",
]
COLUMNS = [("text", "label"), ("yes", "010"), ("~", "="), ("a: b", "c #d"), ("1e5", " ")]
ROWS = [1, 2, 7, 40, 100, 200, 300]


def tables(seed: int) -> list[tuple[list[str], list[str]]]:
    """Texts and labels: many or few of each, alike, empty, huge, skew."""
    chance = random.Random(seed)
    found = []
    for rows, number in product(ROWS, [1, 2, 2, 3, 20, 100]):
        labels = (chance.sample(LABELS, min(number, len(LABELS))) + [f"l{place}" for place in range(number)])[:number]
        skew = chance.random() < 0.3
        dealt = [labels[0] if skew and row % 20 else labels[row % number] for row in range(rows)]
        kinds = [
            [""],
            ["same text"],
            TEXTS,
            [f"text {row} of {row % 9} words" for row in range(rows)],
            ["zq" * 9, "vx"],
        ]
        kind = chance.choice(kinds)
        found.append(([chance.choice(kind) for _ in range(rows)], dealt))
    return found


@pytest.mark.parametrize("seed", range(6))
def test_what_it_writes_loads_and_trains_or_it_says_why_not(seed: int, rnn: Rnn, home: Path, listener: object) -> None:
    chance, written = random.Random(seed), 0
    for texts, labels in tables(seed):
        column, label_column = chance.choice(COLUMNS)
        rows = [json.dumps({column: text, label_column: label}) for text, label in zip(texts, labels, strict=True)]
        (home / "rows.jsonl").write_text("\n".join(rows))
        keys = {"text_column": column, "label_column": label_column}
        words = [word for key, value in keys.items() for word in ("--set", f"data.{key}={json.dumps(value)}")]
        more = chance.choice([[], [], ["--set", "data.test=0"], ["--set", "data.validation=.85"]])
        (home / "config.yaml").unlink(missing_ok=True)
        code, _, err = rnn("init", "rows.jsonl", *words, *more)
        if code:
            assert (code, err.count("\n"), (home / "config.yaml").exists()) == (2, 1, False), err
            assert err.startswith("Error: ") and "fault of rnn" not in err
            continue
        written += 1
        config = load_config("config.yaml")
        content = (home / "config.yaml").read_text(encoding="utf-8")
        assert yaml.safe_load(content) == YAML(typ="safe", pure=True).load(content)
        training = config.training.model_copy(update={"baseline": False})
        prepare(config.model_copy(update={"training": training}), listener)  # type: ignore[arg-type]
    assert written


def test_a_label_of_any_name_may_be_the_positive_one(rnn: Rnn, home: Path) -> None:
    for label in LABELS:
        rows = [json.dumps({"text": f"text {row} of words", "label": (label, "other")[row % 2]}) for row in range(24)]
        (home / "rows.jsonl").write_text("\n".join(rows))  # too few to try a base
        assert rnn("init", "rows.jsonl", "--force", "--set", f"data.positive_label={json.dumps(label)}").code == 0
        assert load_config("config.yaml").data.positive_label == label
        assert yaml.safe_load((home / "config.yaml").read_text())["data"]["positive_label"] == label


def test_labels_as_long_as_texts_leave_a_config_that_can_be_read(rnn: Rnn, home: Path) -> None:
    rows = [json.dumps({"text": f"text {row} of words", "label": "ab"[row % 2] * 200_000}) for row in range(60)]
    (home / "rows.jsonl").write_text("\n".join(rows))
    assert rnn("init", "rows.jsonl").code == 0
    assert load_config("config.yaml").data.positive_label == "b" * 200_000
