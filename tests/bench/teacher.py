"""How good a classifier of few labels is that a teacher taught with texts without labels, beside the linear model.

    python tests/bench/teacher.py LABELLED [UNLABELLED ...] [--labels 500 2000] [--draws 3] [--half trial] [-- MORE ...]

LABELLED is a built-in set or a file, of which a tenth (data.split_seed 1) is the test rows. Each draw takes so many of
the others at random; the texts of those that are left, and UNLABELLED, have no labels. Each run is `rnn train FILE
--unlabelled ...`, a process of its own, with the config that `rnn init` would write, and MORE options. With `--half
trial` other rows than the test rows are measured, on which choices may be made: a tenth, by split_seed 2, of the rest.
"""

import argparse
import csv
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from measuring import process

from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import load_rows
from rnn_cli.data.splits import stratify


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("labelled")
    parser.add_argument("unlabelled", nargs="*")
    parser.add_argument("--labels", type=int, nargs="+", default=[500, 2_000])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--half", choices=["test", "trial"], default="test")
    arguments = sys.argv[1:]
    at = arguments.index("--") if "--" in arguments else len(arguments)
    given, more = parser.parse_args(arguments[:at]), arguments[at + 1 :]
    whole = load_rows(given.labelled)
    test, rest = map(whole.select, stratify(whole.texts, whole.labels, [0.1], seed=1))
    if given.half == "trial":
        test, rest = map(rest.select, stratify(rest.texts, rest.labels, [0.1], seed=2))
    print("| labels | draw | with a teacher | linear | points above | minutes | GB |\n|---|---|---|---|---|---|---|")
    for count in given.labels:
        found = [one_draw(rest, test, count, draw, given.unlabelled, more) for draw in range(given.draws)]
        means = [statistics.mean(column) for column in zip(*found, strict=True)]
        spread = statistics.stdev(ours for ours, *_ in found) if len(found) > 1 else 0.0
        print(_line(f"{count:,}", f"mean (from draw to draw {spread:.1%})", means), flush=True)


def one_draw(
    rest: Dataset, test: Dataset, count: int, draw: int, unlabelled: Sequence[str], more: Sequence[str]
) -> tuple[float, float, float, float]:
    """The shares that are right, with a teacher and linear, seconds and megabytes."""
    order = np.random.default_rng(draw).permutation(len(rest)).tolist()
    with tempfile.TemporaryDirectory() as folder:
        files = {
            name: _write(rows, Path(folder) / f"{name}.csv")
            for name, rows in (
                ("rows", rest.select(order[:count])),
                ("more", rest.select(order[count:])),
                ("test", test),
            )
        }
        names = json.dumps([files["more"], *map(str, map(Path.resolve, map(Path, unlabelled)))])
        command = [str(Path(sys.executable).with_name("rnn")), "train", files["rows"], "--out", f"{folder}/m"]
        command += [f"--set=data.unlabelled={names}", f"--set=data.test={files['test']}"]
        seconds, megabytes, _ = process([*command, f"--set=training.seed={draw + 1}", *more])
        metrics = json.loads(Path(f"{folder}/m/metrics.json").read_text(encoding="utf-8"))
    found = metrics["test"]["accuracy"], metrics["baseline"]["test"]["accuracy"], seconds, megabytes
    print(_line(f"{count:,}", str(draw), found), flush=True)
    return found


def _line(count: str, draw: str, found: Sequence[float]) -> str:
    ours, linear, seconds, megabytes = found
    cells = f"{ours:.1%}", f"{linear:.1%}", f"{100 * (ours - linear):+.1f}", f"{seconds / 60:.1f}"
    return f"| {' | '.join([count, draw, *cells, f'{megabytes / 1e3:.1f}'])} |"


def _write(rows: Dataset, file: Path) -> str:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows(
            [("text", "label"), *zip(rows.texts, rows.labels, strict=True)]
        )
    return str(file)


if __name__ == "__main__":
    main()
