"""How much sooner `rnn train --folds 5` ends where folds are learned at once than one by one, in turn.

    python tests/bench/folds_at_once.py [--rows 500 2000] [--rounds 1]

Trains on so many sentences of film reviews; a round of both takes about two minutes on two cores.
"""

import argparse
import csv
import random
import sys
import tempfile
from functools import partial
from pathlib import Path

from measuring import in_turn, process

from rnn_cli.data.builtin import load_builtin

PROGRAM = "import sys; from rnn_cli.training import at_once; at_once.FEWEST_AT_ONCE = int(sys.argv.pop(1))"
COMMAND = [sys.executable, "-c", f"{PROGRAM}; from rnn_cli.cli.main import main; main()"]


def seconds_taken(folder: Path, at_once: bool) -> float:
    """Of one training, from start to end."""
    line = [*COMMAND, "0" if at_once else str(sys.maxsize), "train", str(folder / "rows.csv"), "--folds", "5"]
    return process([*line, "--no-baseline", "--quiet", "--force", "--out", str(folder / "model")])[0]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 2000])
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    films = load_builtin("rotten_tomatoes")
    rows = [*zip(films.texts, films.labels, strict=True)]
    random.Random(1).shuffle(rows)
    for count in given.rows:
        with tempfile.TemporaryDirectory() as name:
            with (Path(name) / "rows.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([("text", "label"), *rows[:count]])
            works = (partial(seconds_taken, Path(name), at_once) for at_once in (True, False))
            for ours, peer in zip(*in_turn(*works, given.rounds), strict=True):
                print(f"{count:,} rows: at once {ours:.1f} s, one by one {peer:.1f} s: {peer / ours:.2f} x", flush=True)


if __name__ == "__main__":
    main()
