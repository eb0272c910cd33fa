"""Readers of labelled files: how long `rnn_cli.data.source.load_rows` takes, and how long the passes of scoring take.

    python tests/bench/reading.py [--rows 300000] [--rounds 5] [--before CHECKOUT]

Files are generated: CSV of 2 and of 8 columns (every third text is quoted and holds commas and doubled quotes), CSV
whose quoted texts hold a line end, too, and the first two as JSON Lines (labels as text, and as numbers) and as
Parquet. The peers, which keep texts and labels, too, but check nothing: Python's `csv` and `json` modules, row by row,
and `pyarrow.parquet.read_table`. With `--before` another checkout of rnn reads the same files, in turn with this one,
for training and for scoring. Each reader is a process.
"""

import argparse
import csv
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from measuring import Worker, in_turn, seconds, show

HERE = Path(__file__).resolve().parents[2]
MORE = ("id", "country", "stars", "date", "product", "source")


def main(rows: int, rounds: int, before: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for path in written(Path(folder), rows):
            with reader("load", path) as ours, reader("peer", path) as peer:
                show(f"{path.name}: the plain library", *in_turn(ours.seconds, peer.seconds, rounds), "s")
            for task in ("load", "score") if before else ():
                with reader(task, path) as ours, reader(task, path, before) as theirs:
                    show(f"{path.name}: {task} before", *in_turn(ours.seconds, theirs.seconds, rounds), "s")


def reader(task: str, path: Path, checkout: str | Path = HERE) -> Worker:
    """A process that reads the file once for each line it gets, with the package of a checkout."""
    return Worker(["env", f"PYTHONPATH={checkout}", sys.executable, __file__, "--task", task, str(path)])


def written(folder: Path, rows: int) -> Iterator[Path]:
    """Files of so many rows."""
    chance = random.Random(1)
    words = ["warm", "dull", "film", "a", "of", "the", "and", "plot", "that", "never", "ends", "naïve", "it's", "slow"]

    def text(row: int) -> str:
        chosen = " ".join(chance.choices(words, k=chance.randint(5, 40)))
        return f'{chosen}, "so they say", {chosen[:20]}' if row % 3 == 0 else chosen

    table = [[text(row), str(row % 2), *(f"{name} {row % 97}" for name in MORE)] for row in range(rows)]
    names = ["text", "label", *MORE]
    for width in (2, len(names)):
        with (folder / f"{width} columns.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([names[:width], *(row[:width] for row in table)])
        yield folder / f"{width} columns.csv"
    with (folder / "2 columns, texts of two lines.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names[:2], *((text.replace(', "', ',\n"'), label) for text, label, *_ in table)])
    yield folder / "2 columns, texts of two lines.csv"
    for width, kind in ((2, str), (len(names), int)):
        name = f"{width} columns, labels {kind.__name__}.jsonl"
        with (folder / name).open("w", encoding="utf-8") as file:
            for first, label, *more in table:
                record = dict(zip(names, [first, kind(label), *more][:width], strict=False))
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
        yield folder / name
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = dict(zip(names, map(list, zip(*table, strict=True)), strict=True))
    pq.write_table(pa.table(columns), folder / "8 columns.parquet")
    yield folder / "8 columns.parquet"


def peer(path: str) -> Callable[[], object]:
    """What reads the file's texts and labels with a library alone."""
    if path.endswith(".csv"):

        def read_csv() -> object:
            with open(path, encoding="utf-8", newline="") as file:
                return [(fields[0], fields[1]) for fields in csv.reader(file)]

        return read_csv
    if path.endswith(".jsonl"):

        def read_jsonl() -> object:
            with open(path, encoding="utf-8") as file:
                return [(record["text"], record["label"]) for record in map(json.loads, file)]

        return read_jsonl
    from pyarrow.parquet import read_table

    return lambda: [column.to_pylist() for column in read_table(path, columns=["text", "label"]).columns]


def scoring(path: str) -> Callable[[], object]:
    """What reads the file's rows as they are scored."""
    from rnn_cli.batch.job import Job, find_inputs
    from rnn_cli.batch.windows import texts_of, windows_of

    job = Job(tuple(find_inputs([path])), "csv")
    return lambda: sum(len(texts_of(window)) for window in windows_of(job, 0))


def serve(task: str, path: str) -> None:
    if task == "load":
        from rnn_cli.data.source import load_rows

        work: Callable[[], object] = lambda: load_rows(path)  # noqa: E731
    else:
        work = peer(path) if task == "peer" else scoring(path)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(seconds(work), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--task"]:
        serve(*sys.argv[2:])
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--rows", type=int, default=300_000)
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--before", metavar="CHECKOUT")
        given = parser.parse_args()
        main(given.rows, given.rounds, given.before)
