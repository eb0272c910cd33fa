"""What `rnn tune` gains over the config of `rnn init` in a given time, and whether it keeps the time.

    python -P tests/bench/tuning.py SET [--minutes 5] [--trials 6] [--seeds 1 2 3] [--rows 2000]
        [--goal NAME] [--distil]

With `--trials` there is no limit of time, so that other work on the machine changes nothing.

SET is a built-in set, or a file with the columns `text` and `label`; of more `--rows` a sample is drawn, and up to
4,000 of the others are the test rows. Each seed splits the rows anew, and searches and trains with it. Beside them
stands fastText's autotune with as many minutes, where it is installed (pip install fasttext-wheel). A line a
trial, and a line a seed: accuracy on the test rows of the winner, of the config of `rnn init`, and of fastText;
the goal's figure on the validation rows, corrected for the choice, and on the test rows; the seconds taken and given.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import rnn_cli as rnn
from rnn_cli.config.schema import DataConfig
from rnn_cli.data.source import load_rows
from rnn_cli.data.splits import load_splits

FASTTEXT = """
import sys, fasttext
folder, minutes = sys.argv[1], float(sys.argv[2])
model = fasttext.train_supervised(
    folder + "/train.txt",
    autotuneValidationFile=folder + "/validation.txt",
    autotuneDuration=int(60 * minutes),
    verbose=0,
)
lines = open(folder + "/test.txt", encoding="utf-8").read().splitlines()
pairs = [line.split(" ", 1) for line in lines]
right = sum(model.f.predict(text + "\\n", 1, 0.0, "strict")[0][1] == mark for mark, text in pairs)
print(right / len(pairs))
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("set")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--trials", type=int)
    parser.add_argument("--distil", action="store_true")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--rows", type=int)
    parser.add_argument("--goal", default="log_loss")
    given = parser.parse_args()
    rows = load_rows(given.set, DataConfig(source=given.set))
    for seed in given.seeds:
        order = np.random.default_rng(seed).permutation(len(rows))
        chosen, others = (
            (order, order[:0]) if given.rows is None else np.split(order[: given.rows + 4_000], [given.rows])
        )
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            for name, side in (("rows.csv", chosen), ("test.csv", others)):
                with open(name, "w", newline="", encoding="utf-8") as file:
                    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
                    writer.writerow(["text", "label"])
                    writer.writerows((rows.texts[row], rows.labels[row]) for row in side)
            one_seed(given, seed, Path(folder), "test.csv" if len(others) >= FEWEST_OTHERS else 0.2)


FEWEST_OTHERS = 500


def one_seed(given: argparse.Namespace, seed: int, folder: Path, test_rows: str | float) -> None:
    keys = {"data.split_seed": seed, "training.seed": seed, "data.test": test_rows}
    how = {"minutes": given.minutes} if given.trials is None else {"trials": given.trials}
    began = time.monotonic()
    tuned = rnn.tune("rows.csv", goal=given.goal, seed=seed, out="tuned", distil=given.distil, **how, **keys)
    seconds = time.monotonic() - began
    usual = rnn.train("rows.csv", out="usual", **keys)
    assert tuned.run.test is not None and usual.test is not None
    test = tuned.run.test.metrics
    low, high = tuned.standing.interval
    within = low <= getattr(test, given.goal) <= high
    measured = sum(each.is_measured for each in tuned.trials)
    chosen, corrected = tuned.standing.chosen, tuned.standing.corrected
    for each in tuned.trials:
        print(f"  {each.number} {each.name or each.settings}: {each.state} {each.figures}", flush=True)
    print(
        f"{given.set}, seed {seed}, {given.minutes:g} minutes: tuned {test.accuracy:.1%}, "
        f"init {usual.test.metrics.accuracy:.1%}, fastText {fasttext(given, seed, folder, test_rows)}; "
        f"{given.goal} {chosen:.4f}, corrected {corrected:.4f} ({low:.4f} to {high:.4f}), "
        f"test {getattr(test, given.goal):.4f} ({'within' if within else 'outside'}); {len(tuned.trials)} trials, "
        f"{measured} measured, the best {tuned.best.number}; {seconds:.0f} of {60 * given.minutes:.0f} s",
        flush=True,
    )


def fasttext(given: argparse.Namespace, seed: int, folder: Path, test_rows: str | float) -> str:
    """The accuracy of fastText's autotune on the same rows."""
    splits = load_splits(DataConfig(source="rows.csv", split_seed=seed, test=test_rows))
    for name in ("train", "validation", "test"):
        side = getattr(splits, name)
        names = {label: number for number, label in enumerate(sorted(splits.train.label_counts()))}
        lines = (
            f"__label__{names[label]} {' '.join(text.lower().split())}"
            for text, label in zip(side.texts, side.labels, strict=True)
        )
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-c", FASTTEXT, str(folder), str(given.minutes)], capture_output=True, text=True, check=False
    )
    return f"{float(ended.stdout):.1%}" if ended.returncode == 0 else "not installed"


if __name__ == "__main__":
    main()
