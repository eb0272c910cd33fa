"""Accuracy and cost of recipes and peers on the very same rows of one set: a Markdown table, means over seeds.

    python tests/bench/accuracy.py SET [--recipe NAME ...] [--seeds 3] [--fasttext PYTHON] [--no-classic]
                                       [--out FOLDER] [--validation-only] [--each]

SET is one of imdb, rotten_tomatoes, tweets (a tenth of the rows validates, a tenth tests, data.split_seed 1), imdb-500
and imdb-2000 (so many labelled rows for training and validation together; each seed draws others, and all are tested
on the 2,500 test rows of imdb). A recipe is a name or a file, and may go on with overrides,
"short-text data.unlabelled=imdb"; each run is `rnn train`, a process of its own. The linear
baseline is the one that the first recipe's runs fitted. fastText runs if PYTHON has it: `pip install fasttext-wheel`
(0.9.2) in an environment of its own; its epochs and learning rate are chosen on the validation rows, and on more than
one core its answers vary a little even with one seed.

The 95 % interval beside a mean accuracy is Wilson's for so many rows, that beside a mean difference the mean of the
single runs' paired intervals: as wide as one run's, they are about which rows are tested. What chance in training does
(and in imdb-500 and imdb-2000 the draw) is told by the range over the seeds.

Finished runs are kept in FOLDER, and one that is there already (same recipe, same settings, same seed) is not run
again; use a new folder when the program has changed. To choose recipes, use --validation-only, which shows no test
figure; --each adds a line for every single run.
"""

import argparse
import csv
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from measuring import process

import rnn_cli
from rnn_cli.config.load import load_config, parse_override, to_yaml
from rnn_cli.config.schema import DataConfig
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import load_rows
from rnn_cli.data.splits import Splits, load_splits, stratify
from rnn_cli.errors import ConfigError
from rnn_cli.evaluation.compare import paired_interval
from rnn_cli.evaluation.metrics import measure, wilson_interval


@dataclass(frozen=True)
class Set:
    source: str
    recipes: tuple[str, ...]
    rows: int | None = None
    """Drawn for training and validation; None for all."""


SETS = {
    "imdb": Set("imdb", ("accurate", "default", "classic")),
    "rotten_tomatoes": Set("rotten_tomatoes", ("short-text", "short-text data.unlabelled=imdb", "quick", "classic")),
    "tweets": Set("tweets", ("short-text", "classic")),
    "imdb-500": Set("imdb", ("default",), rows=500),
    "imdb-2000": Set("imdb", ("default",), rows=2000),
}

SHARE = 0.1
"""Of the rows, for validation and for test each."""

SIDES = ("validation", "test")
LINEAR, FASTTEXT = "linear baseline", "fastText"

Record = dict[str, Any]
"""Of a finished run: who, seed, seconds, megabytes, and sides, each with accuracy, macro_f1, log_loss and `right`, a 1
for every row that was answered right and a 0 for every other. A recipe's has the `baseline` too, and fastText's its
`choice`."""


class Rows:
    """The rows of a seed; files are written to `folder`."""

    def __init__(self, which: Set, folder: Path) -> None:
        self.which, self.folder = which, folder
        self.of = cache(self._of)

    def _of(self, sample: int) -> tuple[DataConfig, Splits]:
        config = DataConfig(source=self.which.source, validation=SHARE, test=SHARE, split_seed=1)
        if self.which.rows:
            whole = load_rows(self.which.source)
            test, rest = map(whole.select, stratify(whole.texts, whole.labels, [SHARE], seed=1))
            chosen, _ = stratify(rest.texts, rest.labels, [self.which.rows / len(rest)], seed=sample)
            source = self._write(rest.select(chosen), f"{len(chosen)}-rows-{sample}")
            config = config.model_copy(update={"source": source, "test": self._write(test, "test")})
        return config, load_splits(config)

    def seeded(self, seed: int) -> tuple[DataConfig, Splits]:
        return self.of(seed if self.which.rows else 1)

    def _write(self, rows: Dataset, name: str) -> str:
        path = str(self.folder / f"{name}.csv")
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            writer.writerows([("text", "label"), *zip(rows.texts, rows.labels, strict=True)])
        assert load_rows(path).fingerprint() == rows.fingerprint(), path
        return path


def run_recipe(recipe: str, seed: int, rows: Rows) -> Record:
    config, splits = rows.seeded(seed)
    name, *overrides = shlex.split(recipe)
    out, log = Path(tempfile.mkdtemp(dir=rows.folder)) / "model", rows.folder / "log.txt"
    command = [str(Path(sys.executable).with_name("rnn")), "train", name, "--out", str(out)]
    command += [f"--set={override}" for override in overrides]
    command += [f"--set=data.{key}={getattr(config, key)}" for key in ("source", *SIDES, "split_seed")]
    command += [f"--set=training.seed={seed}", "--set=training.baseline=true"]
    seconds, megabytes, _ = logged(command, log)
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    with open(out / "predictions.csv", encoding="utf-8", newline="") as file:
        predicted = list(csv.DictReader(file))

    def sides(metrics: dict[str, Any], column: str) -> Record:
        found = {}
        for side in SIDES:
            answered = [row for row in predicted if row["split"] == side]
            theirs: Dataset = getattr(splits, side)
            assert [(row["text"], row["label"]) for row in answered] == list(
                zip(theirs.texts, theirs.labels, strict=True)
            ), f"{recipe} was measured on other {side} rows"
            found[side] = side_record(metrics[side], [row[column] == row["label"] for row in answered])
        return found

    fitting = re.search(r"linear baseline: .*; (\d+)s\)", log.read_text(encoding="utf-8"))
    return {
        "seconds": seconds,
        "megabytes": megabytes,
        "sides": sides(metrics, "prediction"),
        "baseline": {
            "seconds": float(fitting[1]) if fitting else None,
            "sides": sides(metrics["baseline"], "baseline_prediction"),
        },
    }


def run_fasttext(python: str, seed: int, rows: Rows) -> Record:
    _, splits = rows.seeded(seed)
    labels = sorted(set(splits.train.labels))
    for side in ("train", "validation", "test"):
        those: Dataset = getattr(splits, side)
        marks = [f"__label__{labels.index(label)} " if side != "test" else "" for label in those.labels]
        lines = [mark + plain(text) for mark, text in zip(marks, those.texts, strict=True)]
        if side == "train":  # fastText reads it from top to bottom, and a file may have its labels one after the other
            np.random.default_rng(seed).shuffle(lines)
        (rows.folder / f"{side}.txt").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    program, threads = str(Path(__file__).with_name("peer_fasttext.py")), len(os.sched_getaffinity(0))
    command = [python, program, str(rows.folder), str(seed), str(threads)]
    seconds, megabytes, printed = logged(command, rows.folder / "log.txt")
    sides = {}
    with np.load(rows.folder / "answers.npz") as predicted:
        for side in SIDES:
            truth = np.array([labels.index(label) for label in getattr(splits, side).labels], np.intp)
            chosen = predicted[side].argmax(axis=1)
            metrics = measure(labels, truth, predicted[side], chosen).to_dict()
            sides[side] = side_record(metrics, (chosen == truth).tolist())
    return {"seconds": seconds, "megabytes": megabytes, "sides": sides, "choice": json.loads(printed)}


def plain(text: str) -> str:
    """As fastText's own tutorial prepares texts: lower case, punctuation apart; a line, which only \\n would end."""
    return " ".join(re.sub(r"([.!?,'/()])", r" \1 ", text).lower().split())


def side_record(metrics: dict[str, Any], right: Sequence[bool]) -> Record:
    kept = {name: metrics[name] for name in ("accuracy", "macro_f1", "log_loss")}
    assert abs(mean(right) - kept["accuracy"]) < 1e-9
    return kept | {"right": "".join(str(int(each)) for each in right)}


def logged(command: Sequence[str], log: Path) -> tuple[float, float, str]:
    """As `process`; what the command says on stderr goes to a file, and is shown if the command fails."""
    with open(log, "w", encoding="utf-8") as file:
        try:
            return process(command, stderr=file)
        except AssertionError as error:
            sys.exit(log.read_text(encoding="utf-8")[-2000:] + str(error))


class Kept:
    """The records of finished runs, by their keys; in a file if there is one."""

    def __init__(self, file: Path | None) -> None:
        self.file, self.records = file, {}
        if file and file.exists():
            lines = file.read_text(encoding="utf-8").splitlines()
            self.records = {record["key"]: record for record in map(json.loads, lines)}

    def get(self, who: str, settings: str, seed: int, run: Callable[[], Record]) -> Record:
        """A run's record, kept or new; `settings` is all that the figures hang on beside the seed."""
        key = f"{who} {hashlib.sha256(settings.encode()).hexdigest()[:12]} {seed}"
        if key not in self.records:
            record = self.records[key] = {"key": key, "who": who, "seed": seed, **run()}
            if self.file:
                with open(self.file, "a", encoding="utf-8") as file:
                    file.write(json.dumps(record) + "\n")
            validation = record["sides"]["validation"]["accuracy"]
            told = f"{who}, seed {seed}: {record['seconds'] / 60:.1f} min, validation {validation:.1%}"
            print(told, file=sys.stderr, flush=True)
        return self.records[key]


def table(rows: dict[str, list[Record]], linear: list[Record], side: str) -> None:
    head = [f"{side} accuracy (95 %)", "seeds", "macro F1", "log loss", "against linear, points (95 %)"]
    head = ["", *(["validation"] if side == "test" else []), *head, "minutes", "MB"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for who, records in rows.items():
        print("| " + " | ".join([who, *cells(records, linear if who != LINEAR else None, side)]) + " |")


def cells(records: list[Record], linear: list[Record] | None, side: str) -> list[str]:
    sides = [record["sides"][side] for record in records]
    accuracies, count = [each["accuracy"] for each in sides], len(sides[0]["right"])
    low, high = wilson_interval(mean(accuracies) * count, count)  # of a mean, so not of whole rows
    found = [f"{mean(record['sides']['validation']['accuracy'] for record in records):.1%}"] if side == "test" else []
    found.append(f"{mean(accuracies):.1%} ({low * 100:.1f} to {high * 100:.1f})")
    ends = [f"{end(accuracies) * 100:.1f}" for end in (min, max)]
    found.append(" to ".join(dict.fromkeys(ends)))
    found += [f"{mean(each[name] for each in sides):.3f}" for name in ("macro_f1", "log_loss")]
    found.append(against(sides, [record["sides"][side] for record in linear]) if linear else "")
    for name, scale in (("seconds", "{:.1f}"), ("megabytes", "{:.0f}")):
        known = [record[name] for record in records if record.get(name) is not None]
        share = 60 if name == "seconds" else 1
        found.append(scale.format(mean(known) / share) if known else "")
    return found


def against(ours: list[Record], theirs: list[Record]) -> str:
    """The mean over the seeds of the differences and of their intervals' ends, in points."""
    each = []
    for us, them in zip(ours, theirs, strict=True):
        pairs = list(zip(us["right"], them["right"], strict=True))
        only_us, only_them = pairs.count(("1", "0")), pairs.count(("0", "1"))
        each.append(((only_us - only_them) / len(pairs), *paired_interval(only_us, only_them, len(pairs))))
    difference, low, high = (mean(values) * 100 for values in zip(*each, strict=True))
    return f"{difference:+.1f} ({low:+.1f} to {high:+.1f})"


def settings_of(recipes: Sequence[str], source: str) -> dict[str, str]:
    """Each recipe's whole config; ends the program if one is missing or wrong."""
    found, mistakes = {}, []
    for recipe in recipes:
        try:
            name, *overrides = shlex.split(recipe)
            found[recipe] = to_yaml(load_config(name, [*map(parse_override, [f"data.source={source}", *overrides])]))
        except ConfigError as error:
            mistakes.append(str(error))
    if mistakes:
        sys.exit("\n".join([*mistakes, "name the recipes to run with --recipe NAME"]))
    return found


def called(recipe: str) -> str:
    name, *overrides = shlex.split(recipe)
    return " ".join([Path(name).stem, *overrides])


def as_seen_anywhere(name: str, *overrides: str) -> list[str]:
    return [os.path.abspath(name) if os.path.exists(name) else name, *overrides]


def arguments() -> argparse.Namespace:
    assert __doc__
    usage = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0], formatter_class=usage)
    parser.add_argument("set", choices=SETS)
    parser.add_argument("--recipe", action="extend", nargs="+", metavar="NAME", help="instead of the set's own")
    parser.add_argument("--seeds", type=int, default=3, help="training seeds 1 to so many")
    parser.add_argument("--fasttext", metavar="PYTHON", help="an interpreter that has fastText")
    parser.add_argument("--no-classic", action="store_true", help="leave the recipe classic out")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="keeps finished runs")
    parser.add_argument("--validation-only", action="store_true", help="show no test figure")
    parser.add_argument("--each", action="store_true", help="show single runs too")
    given = parser.parse_args()
    names = given.recipe or SETS[given.set].recipes
    names = [name for name in dict.fromkeys(names) if not (given.no_classic and name == "classic")]
    given.recipe = [shlex.join(as_seen_anywhere(*shlex.split(name))) for name in names]
    if given.seeds < 1 or not names:
        parser.error("at least one seed and one recipe are needed")
    return given


def main() -> None:
    given = arguments()
    which, seeds = SETS[given.set], range(1, given.seeds + 1)
    settings = settings_of(given.recipe, which.source)
    python = str(Path(given.fasttext).absolute()) if given.fasttext else None
    if python and subprocess.run([python, "-c", "import fasttext"], stderr=subprocess.DEVNULL).returncode:
        sys.exit(f"{python} has no fastText; in an environment of its own: pip install fasttext-wheel")
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
    kept = Kept(given.out.absolute() / f"{given.set}.jsonl" if given.out else None)
    os.environ["PYTHONPATH"] = str(Path(rnn_cli.__file__).parents[1])  # the same program, seen from elsewhere
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # so that runs/latest stays as it is
        rows = Rows(which, Path(folder))
        found: dict[str, list[Record]] = {
            called(recipe): [
                kept.get(recipe, settings[recipe], seed, lambda r=recipe, s=seed: run_recipe(r, s, rows))
                for seed in seeds
            ]
            for recipe in given.recipe
        }
        linear = [record["baseline"] for record in found[called(given.recipe[0])]]
        found[LINEAR] = linear
        if python:
            peer = Path(__file__).with_name("peer_fasttext.py").read_text(encoding="utf-8")
            found[FASTTEXT] = [
                kept.get(FASTTEXT, peer, seed, lambda s=seed: run_fasttext(python, s, rows)) for seed in seeds
            ]
        os.chdir("/")
    show(given, found, linear)


def show(given: argparse.Namespace, found: dict[str, list[Record]], linear: list[Record]) -> None:
    side = "validation" if given.validation_only else "test"
    count = len(linear[0]["sides"][side]["right"])
    print(f"{given.set}: {count:,} {side} rows, mean of {given.seeds} seeds\n")
    table(found, linear, side)
    if given.each:
        print("\nsingle runs:\n")
        for number in range(given.seeds):
            each = {f"{who}, seed {number + 1}": [records[number]] for who, records in found.items() if who != LINEAR}
            table({LINEAR: [linear[number]]} | each, [linear[number]], side)
            print()
    print(f"\n{LINEAR}: the minutes of its fits, which are part of the recipes' minutes")
    if FASTTEXT in found:
        choices = [record["choice"] for record in found[FASTTEXT]]
        told = ", ".join(f"{choice['epoch']} epochs at {choice['lr']}" for choice in choices)
        alone = mean(choice["seconds"] for choice in choices) / 60
        print(f"{FASTTEXT}: the minutes of all fits; the chosen one took {alone:.2f} (by seeds {told})")


if __name__ == "__main__":
    main()
