"""How good the classifier is that `rnn train FILE` makes of some rows of a set, beside the linear model.

    python tests/bench/proposed.py SET [UNLABELLED ...] [--teacher] [--label-column NAME] [--labels 500 2000 all]
                                       [--draws 3] [--half trial] [-- MORE ...]

SET is a built-in set or a file, of which a tenth (data.split_seed 1) is the test rows. Each draw takes so many of the
others at random; `all` are all of them, which each draw divides anew into training and validation rows. With --teacher
the texts of those that are left, and UNLABELLED, have no labels and teach, too. Each run is `rnn train FILE`, a process
of its own, with the config that `rnn init` would write, and MORE options. With `--half trial` other rows than the test
rows are measured, on which choices may be made: a tenth, by split_seed 2, of the rest.
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

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import load_rows
from rnn_cli.data.splits import stratify


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("set")
    parser.add_argument("unlabelled", nargs="*")
    parser.add_argument("--teacher", action="store_true")
    parser.add_argument("--label-column")
    parser.add_argument("--labels", nargs="+", default=["500", "2000"])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--half", choices=["test", "trial"], default="test")
    arguments = sys.argv[1:]
    at = arguments.index("--") if "--" in arguments else len(arguments)
    given, more = parser.parse_args(arguments[:at]), arguments[at + 1 :]
    whole = load_rows(given.set, DataConfig(source=given.set, label_column=given.label_column))
    test, rest = map(whole.select, stratify(whole.texts, whole.labels, [0.1], seed=1))
    if given.half == "trial":
        test, rest = map(rest.select, stratify(rest.texts, rest.labels, [0.1], seed=2))
    unlabelled = [str(Path(name).resolve()) for name in given.unlabelled] if given.teacher else None
    print("| labels | draw | `rnn` | linear | points above (95 %) | minutes | GB |\n|---|---|---|---|---|---|---|")
    for count in (len(rest) if each == "all" else int(each) for each in given.labels):
        found = [one_draw(rest, test, count, draw, unlabelled, more) for draw in range(given.draws)]
        means = [statistics.mean(column) for column in zip(*found, strict=True)]
        spread = statistics.stdev(ours for ours, *_ in found) if len(found) > 1 else 0.0
        print(_line(count, f"mean (from draw to draw {spread:.1%})", means), flush=True)


def one_draw(
    rest: Dataset, test: Dataset, count: int, draw: int, unlabelled: Sequence[str] | None, more: Sequence[str]
) -> tuple[float, ...]:
    """The shares that are right, ours and linear, the ends of the interval of their difference, seconds, megabytes."""
    order = np.random.default_rng(draw).permutation(len(rest)).tolist()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [
            str(Path(sys.executable).with_name("rnn")),
            "train",
            _write(rest.select(order[:count]), folder, "rows"),
        ]
        command += ["--out", f"{folder}/m"]
        command.append(f"--set=data.test={_write(test, folder, 'test')}")
        if unlabelled is not None:
            names = [_write(rest.select(order[count:]), folder, "more"), *unlabelled]
            command.append(f"--set=data.unlabelled={json.dumps(names)}")
        command += [f"--set=training.seed={draw + 1}", f"--set=data.split_seed={draw + 1}", *more]
        seconds, megabytes, _ = process(command)
        metrics = json.loads((folder / "m" / "metrics.json").read_text(encoding="utf-8"))
    against = metrics["baseline"]["comparison"]["test"]["interval"]
    found = metrics["test"]["accuracy"], metrics["baseline"]["test"]["accuracy"], *against
    print(_line(count, str(draw), [*found, seconds, megabytes]), flush=True)
    return *found, seconds, megabytes


def _line(count: int, draw: str, found: Sequence[float]) -> str:
    ours, linear, low, high, seconds, megabytes = found
    above = f"{100 * (ours - linear):+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
    cells = f"{count:,}", draw, f"{ours:.1%}", f"{linear:.1%}", above, f"{seconds / 60:.1f}", f"{megabytes / 1e3:.1f}"
    return f"| {' | '.join(cells)} |"


def _write(rows: Dataset, folder: Path, name: str) -> str:
    file = folder / f"{name}.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows(
            [("text", "label"), *zip(rows.texts, rows.labels, strict=True)]
        )
    return str(file)


if __name__ == "__main__":
    main()
