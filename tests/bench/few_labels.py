"""How good a classifier of few labels is, on a base that was made without its set, on none, and a linear model.

    python tests/bench/few_labels.py SET [BASE] [--draws 10] [--labels 60 200 500 2000]

SET is `rotten_tomatoes` or `tweets`, whose base is the recipe `general` trained without it (some 15 minutes on two
cores, in a folder that has the recipe's files, docs/general.md; it is kept as base-SET), or a file of topics with the
columns `text` and `label`, whose base is `general`. BASE is a base that was made before, or `none`: then the config is
the one that `rnn init` would write without a base. Each draw takes so many rows at random from one half of the set, a
tenth of them to calibrate, and is measured on up to 3,000 others. Everything had been chosen on the other half.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegressionCV

import rnn_cli as rnn
from rnn_cli.bundle.locate import GENERAL
from rnn_cli.checks.suggest_config import propose
from rnn_cli.config.load import Override, load_config
from rnn_cli.config.schema import DataConfig
from rnn_cli.data.mixture import load_mixture
from rnn_cli.data.source import load_rows

LEFT_OUT = {"rotten_tomatoes": ("rotten_tomatoes", "rated_phrases.parquet"), "tweets": ("tweets",)}
"""The recipe's sources that hold texts of a set."""

MOST_TEST_ROWS = 3_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("set")
    parser.add_argument("base", nargs="?")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--labels", type=int, nargs="+", default=[60, 200, 500, 2_000])
    given = parser.parse_args()
    texts, labels = rows_of(given.set)
    base = given.base or base_without(given.set)
    half = np.random.default_rng(12345).permutation(len(labels))[len(labels) // 2 :]
    for count in given.labels:
        found = [one_draw(texts, labels, half, count, base, seed) for seed in range(given.draws)]
        ours, linear, seconds = np.array(found).T
        spread = ours.std(ddof=1) if len(found) > 1 else 0.0
        print(
            f"{given.set}, {count:,} labels, base {base}: {ours.mean():.1%} (from draw to draw {spread:.1%}), "
            f"linear {linear.mean():.1%}, {seconds.mean():.1f} s a training",
            flush=True,
        )


def rows_of(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The texts and labels of a set."""
    config = load_config("general").data
    sources = [each for each in config.sources or () if each.called == name]
    rows = load_mixture(config, sources) if sources else load_rows(name, DataConfig(source=name))
    return np.array(rows.texts, object), np.array(rows.labels, object)


def base_without(name: str) -> str:
    """The general model, trained without a set that is one of its sources."""
    if name not in LEFT_OUT:
        return GENERAL
    folder = Path(f"base-{name}")
    if not folder.exists():
        sources = load_config("general").data.sources or ()
        kept = [each.model_dump() for each in sources if each.called not in LEFT_OUT[name]]
        rnn.train("general", out=folder, **{"data.sources": kept})
    return str(folder)


def one_draw(
    texts: np.ndarray, labels: np.ndarray, half: np.ndarray, count: int, base: str, seed: int
) -> tuple[float, float, float]:
    """Our share that is right, the linear model's, and the seconds of our training."""
    order = np.random.default_rng(seed).permutation(half)
    known, others = order[:count], order[count:][:MOST_TEST_ROWS]
    data = list(texts[known]), list(labels[known])
    settings = {"data.test": 0, "data.validation": 0.1, "training.baseline": False}
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        if base == "none":
            config = propose("(memory)", rows=data, may_build_on_base=False).config
            changes = [
                Override(f"{section}.{key}", value)
                for section in ("tokenizer", "model", "training")
                for key, value in config.to_dict()[section].items()
            ]
            run = rnn.train("quick", data, out=f"{folder}/m", overrides=changes, **settings)
        else:
            run = rnn.train("few-labels", data, out=f"{folder}/m", **settings, **{"model.base": base})
        seconds = time.perf_counter() - began
        ours = np.mean(
            [each.label == label for each, label in zip(run.model.predict(texts[others]), labels[others], strict=True)]
        )
    counted = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    linear = LogisticRegressionCV(Cs=[0.3, 1, 3, 10, 30, 100], scoring="accuracy", max_iter=1_000)
    linear.fit(counted.fit_transform(data[0]), data[1])
    return float(ours), float(linear.score(counted.transform(texts[others]), labels[others])), seconds


if __name__ == "__main__":
    main()
