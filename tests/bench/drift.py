"""How often `rnn drift` sees a difference where there is none, and how often it sees one that is there.

    python -m tests.bench.drift [SAMPLES]      500 without a number; a quarter of them for each shift

A small network learns a part of rotten_tomatoes. For each sample, other rows of the set are dealt anew to the training
texts that are summarized, to the rows kept aside, and to the new rows; then some of the new rows are changed. So the
rate holds for whole runs, not for one summary.
"""

import os
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from tempfile import TemporaryDirectory

import numpy as np

import rnn_cli as rnn
from rnn_cli.arrays import Floats
from rnn_cli.checks import languages
from rnn_cli.data.builtin import load_builtin
from rnn_cli.data.rows import Dataset
from rnn_cli.evaluation.intervals import wilson_interval
from rnn_cli.monitoring.compare import Drift, find_drift
from rnn_cli.monitoring.summary import summarize
from rnn_cli.scoring.predictor import Predictor

LEARNED, TRAINING, ASIDE, NEW = 2_000, 2_000, 500, 300
"""Rows that the network learns, and of each sample."""

Change = Callable[[list[str], random.Random], list[str]]


@dataclass(frozen=True)
class Source:
    """A model, texts that it has not learned, and what it says of each, `[texts, labels]`."""

    predictor: Predictor
    texts: list[str]
    labels: list[str]
    probabilities: Floats


def make_source(folder: str) -> Source:
    """Train the network in a folder of its own."""
    rows = load_builtin("rotten_tomatoes")
    order = np.random.default_rng(1).permutation(len(rows)).tolist()
    texts, labels = [rows.texts[row] for row in order], [rows.labels[row] for row in order]
    small = {"units": [16], "embedding_dim": 32, "embeddings": None, "ngrams": 0, "epochs": 3, "max_length": 60}
    run = rnn.train("quick", (texts[:LEARNED], labels[:LEARNED]), out=os.path.join(folder, "model"), **small)
    texts, labels = texts[LEARNED:], labels[LEARNED:]
    languages.language_of = cache(languages.language_of)  # type: ignore[assignment]  # each text is met many times
    return Source(run.model, texts, labels, run.model.score(texts).probabilities)


def sample(source: Source, number: int, change: Change | None = None, *, positives: float | None = None) -> Drift:
    """Deal the rows, change the new ones, and look for drift; with `positives`, that share of them is positive."""
    chance = np.random.default_rng(number)
    order = chance.permutation(len(source.texts))
    training, aside, rest = np.split(order, [TRAINING, TRAINING + ASIDE])
    if positives is None:
        new = rest[:NEW]
    else:
        good = np.array([source.labels[row] == "positive" for row in rest.tolist()])
        count = round(positives * NEW)
        new = np.concatenate([rest[good][:count], rest[~good][: NEW - count]])
    texts_of = [[source.texts[row] for row in rows.tolist()] for rows in (training, aside, new)]
    then = summarize(source.predictor, texts_of[0], texts_of[1], source.probabilities[aside])
    assert then is not None
    texts = texts_of[2] if change is None else change(texts_of[2], random.Random(number))
    rows = Dataset("new", texts, [""] * len(texts), list(range(1, len(texts) + 1)))
    return find_drift(source.predictor, then, rows, None)


def from_elsewhere(share: float) -> Change:
    """So many of the texts are tweets."""
    tweets = load_builtin("tweets").texts

    def change(texts: list[str], chance: random.Random) -> list[str]:
        return [chance.choice(tweets) if chance.random() < share else text for text in texts]

    return change


def garbled(share: float) -> Change:
    """So many of the texts have two letters changed in every third word, as a bad scanner does it."""

    def change(texts: list[str], chance: random.Random) -> list[str]:
        return [_garbled(text, chance) if chance.random() < share else text for text in texts]

    return change


def _garbled(text: str, chance: random.Random) -> str:
    words = text.split(" ")
    for place in range(0, len(words), 3):
        letters = list(words[place])
        for _ in range(min(2, len(letters))):
            letters[chance.randrange(len(letters))] = chance.choice("abcdefghijklmnopqrstuvwxyz")
        words[place] = "".join(letters)
    return " ".join(words)


def rate(found: list[Drift]) -> str:
    """The share of samples with drift, its interval, and what was seen most often."""
    seen = sum(each.is_sure for each in found)
    low, high = wilson_interval(seen, len(found))
    features = Counter(shift.feature for each in found for shift in each.shifts if shift.is_sure)
    most = ", ".join(f"{name} {count}" for name, count in features.most_common(3))
    return f"{seen / len(found):6.1%}  ({low:.1%} to {high:.1%} of {len(found)})  {most}"


def main() -> None:
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with TemporaryDirectory() as folder:
        source = make_source(folder)
        print(f"rotten_tomatoes: {TRAINING:,} training texts, {ASIDE} kept aside, {NEW} new rows a sample", flush=True)
        found = [sample(source, number) for number in range(samples)]
        print(f"same source              {rate(found)}", flush=True)
        for name in [shift.feature for shift in found[0].shifts]:
            below = sum(shift.p_value < 0.05 for each in found for shift in each.shifts if shift.feature == name)
            print(f"    {name:12} alone at 5 %: {below / samples:.1%}")
        shifts: dict[str, tuple[Change | None, float | None]] = {
            "5 % tweets": (from_elsewhere(0.05), None),
            "10 % tweets": (from_elsewhere(0.1), None),
            "20 % tweets": (from_elsewhere(0.2), None),
            "60 % positive, not 50 %": (None, 0.6),
            "70 % positive": (None, 0.7),
            "10 % garbled": (garbled(0.1), None),
            "30 % garbled": (garbled(0.3), None),
        }
        for name, (change, positives) in shifts.items():
            found = [sample(source, 10_000 + at, change, positives=positives) for at in range(max(samples // 4, 1))]
            print(f"{name:24} {rate(found)}", flush=True)


if __name__ == "__main__":
    main()
