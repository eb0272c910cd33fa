"""Ordered labels against the same network with a plain softmax, on the same rows.

    python tests/bench/ordered.py FILE --label-column rating [--recipe default] [--phrases FLAG] [--seeds 2]
        [--set KEY=VALUE ...]

FILE is a CSV or Parquet file with a column `text`. Trains both networks on the same split for each seed and measures
them on the same test rows: mean absolute error, quadratic kappa, Spearman, accuracy, accuracy within one, log loss, the
paired differences with their intervals, and how often sets of a stated coverage hold the true label. With `--phrases`,
the rows whose column FLAG is true are split, and the others are training rows unless a validation or test row holds
their text.
"""

import argparse
import re
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas

import rnn_cli as rnn
from rnn_cli.arrays import Floats
from rnn_cli.config.load import parse_override
from rnn_cli.evaluation.evaluate import true_labels
from rnn_cli.evaluation.ordered import compare_ordered, measure_ordered
from rnn_cli.evaluation.wording import ORDERED_SHOWN, bounds, value
from rnn_cli.scoring.ordered import DecisionOfOrdered

COVERAGES = (0.8, 0.9, 0.95)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--label-column", default="rating")
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--phrases")
    parser.add_argument("--test", type=float, default=0.2)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    given = parser.parse_args()
    read = pandas.read_parquet if given.file.suffix == ".parquet" else pandas.read_csv
    table = read(given.file).rename(columns={given.label_column: "label"})
    with tempfile.TemporaryDirectory() as folder:
        sides = _sides(table, given.phrases, given.test, Path(folder))
        for seed in range(1, given.seeds + 1):
            _measure(sides, given.recipe, [f"training.seed={seed}", *given.settings], Path(folder))


def _sides(table: pandas.DataFrame, phrases: str | None, test: float, folder: Path) -> dict[str, Path]:
    """Files of training, validation and test rows."""
    whole = table if phrases is None else table[table[phrases]]
    order = np.random.default_rng(1).permutation(len(whole))
    tests, held = round(test * len(whole)), round(0.1 * len(whole))
    parts = {"test": order[:tests], "validation": order[tests : tests + held], "source": order[tests + held :]}
    rows = {side: whole.iloc[part][["text", "label"]] for side, part in parts.items()}
    if phrases is not None:
        kept_aside = "\n".join(_words(text) for side in ("test", "validation") for text in rows[side]["text"])
        others = table[~table[phrases]]
        free = [_words(text) not in kept_aside for text in others["text"]]
        rows["source"] = pandas.concat([rows["source"], others[free][["text", "label"]]])
    for side, found in rows.items():
        found.to_parquet(folder / f"{side}.parquet")
        print(f"{side}: {len(found):,} rows", flush=True)
    return {side: folder / f"{side}.parquet" for side in rows}


def _words(text: str) -> str:
    """The words alone, so that punctuation hides no copy."""
    return f" {' '.join(re.findall(r'[a-z0-9]+', text.lower()))} "


def _measure(sides: dict[str, Path], recipe: str, settings: list[str], folder: Path) -> None:
    """Train both networks, measure them on the test rows, and print that."""
    scored: dict[str, Floats] = {}
    for kind in ("single", "ordered"):
        started = time.perf_counter()
        changes = [f"data.{side}={file}" for side, file in sides.items()]
        changes += [f"data.labels={kind}", "training.baseline=false", *settings]
        run = rnn.train(recipe, out=folder / kind, force=True, overrides=list(map(parse_override, changes)))
        found = run.test
        assert found is not None
        scored[kind], labels = found.scores.probabilities, run.model.labels
        truth = true_labels(found.dataset, labels)
        print(f"{kind}: {time.perf_counter() - started:.0f} s", flush=True)
        for coverage in COVERAGES:
            sets = run.model.sets(scored[kind], coverage)
            held = np.mean([labels[each] in of for each, of in zip(truth, sets, strict=True)])
            print(f"  sets of {coverage:.0%}: hold {held:.1%}, {np.mean(list(map(len, sets))):.2f} labels on average")
    plain = scored["single"].argmax(axis=1)
    predicted = {"softmax": plain} | {
        f"ordered, {choice}": DecisionOfOrdered(choice=choice).choose(scored["ordered"])
        for choice in ("balanced", "mode", "median")
    }
    for name, chosen in predicted.items():
        metrics = measure_ordered(labels, truth, scored["single" if name == "softmax" else "ordered"], chosen)
        shown = (
            f"{called} {value(metrics, field, written)} ({bounds(metrics, field, written)})"
            for field, (called, written) in ORDERED_SHOWN.items()
        )
        print(f"{name}: {', '.join(shown)}")
        if name != "softmax":
            against = compare_ordered(labels, truth, chosen, plain)
            low, high = against.error_interval
            print(
                f"  against softmax: error {against.error_difference:+.4f} ({low:+.4f} to {high:+.4f}, p "
                f"{against.error_p_value:.2g}), accuracy {100 * against.difference:+.2f} points "
                f"({100 * against.interval[0]:+.2f} to {100 * against.interval[1]:+.2f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
