"""What other columns are worth beside the text: the same model with and without them, on the same rows.

    python tests/bench/columns.py FILE --column domain [--column ...] [--label-column label] [--recipe quick]
        [--rows 6000] [--seeds 2] [--set KEY=VALUE ...]

FILE is a CSV or Parquet file with a column `text`. Trains both on the same split for each seed and measures them on the
same test rows: accuracy, the paired difference with its interval, and what each column is worth where it is shuffled.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas

import rnn_cli as rnn
from rnn_cli.config.load import parse_override
from rnn_cli.evaluation.compare import compare_predictions
from rnn_cli.evaluation.evaluate import Evaluation


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--column", dest="columns", action="append", required=True)
    parser.add_argument("--label-column", default="label")
    parser.add_argument("--recipe", default="quick")
    parser.add_argument("--rows", type=int, default=6_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    given = parser.parse_args()
    read = pandas.read_parquet if given.file.suffix == ".parquet" else pandas.read_csv
    table = read(given.file)
    order = np.random.default_rng(1).permutation(len(table))[: given.rows]
    table = table.iloc[order][["text", given.label_column, *given.columns]].reset_index(drop=True)
    for seed in range(1, given.seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            _measure(table, given, seed, Path(folder))


def _measure(table: pandas.DataFrame, given: argparse.Namespace, seed: int, folder: Path) -> None:
    found: dict[str, Evaluation] = {}
    for name, columns in (("text alone", None), ("with columns", given.columns)):
        settings = [f"training.seed={seed}", "data.test=0.3", *given.settings]
        run = rnn.train(
            given.recipe,
            table,
            out=folder / name,
            overrides=[parse_override(each) for each in settings],
            label_column=given.label_column,
            extra_columns=columns,
        )
        assert isinstance(run.test, Evaluation)
        found[name] = run.test
        baseline = "" if run.test.baseline is None else f"; linear baseline {run.test.baseline.metrics.accuracy:.1%}"
        print(
            f"seed {seed}, {name}: {run.test.metrics.accuracy:.1%} of {run.test.metrics.rows:,}{baseline}", flush=True
        )
        for each in run.metrics.get("columns", {}).get("test", ()):
            low, high = (100 * end for end in each["interval"])
            lost = f"{100 * each['lost']:.1f} points ({low:.1f} to {high:.1f})"
            print(f"  {each['name']} shuffled: accuracy falls by {lost}")
    alone, beside = found.values()
    compared = compare_predictions(beside.truth, beside.predicted, alone.predicted, len(beside.metrics.labels))
    low, high = (100 * end for end in compared.interval)
    print(f"  difference {100 * compared.difference:+.1f} points ({low:.1f} to {high:.1f})", flush=True)


if __name__ == "__main__":
    main()
