"""How well validation rows, and folds of few rows, choose among the configs of a search.

    python -P tests/bench/choosing.py SET [--rows 2000] [--configs 12] [--draws 5]

SET is a built-in set, or a file with the columns `text` and `label`. Each draw takes other rows, and other linear
models by chance from the space of `rnn tune`; they learn from nine tenths of the rows, and up to 4,000 of the others
are the test rows. A line a draw: the log loss on the test rows of the model that the validation rows choose, of that
which the folds of `rnn tune` choose, of the best one and of the mean; and the rank correlations with the test rows.
"""

import argparse

import numpy as np
from scipy.stats import spearmanr

from rnn_cli.config.load import load_config, recipes
from rnn_cli.config.schema import Config, DataConfig
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import load_rows
from rnn_cli.data.splits import Splits, load_splits
from rnn_cli.data.unlabelled import load_unlabelled
from rnn_cli.training.folds import Learned, evaluate_learned, predict_folds
from rnn_cli.training.linear_run import learn_linear
from rnn_cli.training.listener import SilentListener
from rnn_cli.training.pooling import figures_of_folds
from rnn_cli.training.prepare import Prepared, prepare
from rnn_cli.tuning.default_space import Facts, default_space
from rnn_cli.tuning.halving import in_folds
from rnn_cli.tuning.space import Space, changed

QUIET = SilentListener()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("set")
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--configs", type=int, default=12)
    parser.add_argument("--draws", type=int, default=5)
    given = parser.parse_args()
    rows = load_rows(given.set, DataConfig(source=given.set))
    base = load_config(str(recipes()["short-text"])).model_copy(update={"data": DataConfig(source=given.set, test=0.0)})
    space = default_space(base, Facts(given.rows, 50, 1.0))
    found = []
    for draw in range(given.draws):
        chance = np.random.default_rng(draw)
        chosen, test = np.split(chance.permutation(len(rows))[: given.rows + 4_000], [given.rows])
        splits = load_splits(base.data, rows.select(sorted(chosen)))
        configs = [drawn(base, space, chance) for _ in range(given.configs)]
        figures = np.array([losses(config, splits, rows.select(sorted(test))) for config in configs])
        by_validation, by_folds, on_test = figures.T
        ranks = [spearmanr(each, on_test).statistic for each in (by_validation, by_folds)]
        chosen_by = [on_test[by_validation.argmin()], on_test[by_folds.argmin()], on_test.min(), on_test.mean()]
        found.append([*chosen_by, *ranks])
        print(f"draw {draw}: {in_words(found[-1])}", flush=True)
    print(f"{given.set}, {given.rows:,} rows, {given.draws} draws: {in_words(np.mean(found, axis=0))}")


def drawn(base: Config, space: Space, chance: np.random.Generator) -> Config:
    """A linear model of the space by chance."""
    settings = space.choose(lambda name, values: "linear" if name == "model.kind" else values.draw(chance))
    return changed(base, settings, "a draw")


def in_words(figures: list[float]) -> str:
    names = ("by validation", "by folds", "best", "mean", "rank by validation", "rank by folds")
    return ", ".join(f"{name} {value:.4f}" for name, value in zip(names, figures, strict=True))


def losses(config: Config, splits: Splits, test: Dataset) -> tuple[float, float, float]:
    """The log loss of a config on the validation rows, by folds, and on the test rows."""
    training = config.training.model_copy(update={"baseline": False})
    config = config.model_copy(update={"training": training})
    run = prepare(config, QUIET, ready=(splits, load_unlabelled(config.data, [])))
    learned = learn_linear(run, QUIET)
    return loss(learned, splits.validation), loss_by_folds(run), loss(learned, test)


def loss(learned: Learned, rows: Dataset) -> float:
    return float(evaluate_learned(learned, rows, QUIET).metrics.log_loss)


def loss_by_folds(run: Prepared) -> float:
    measured = in_folds(run)
    found = predict_folds(measured, learn_linear, None, QUIET)
    assert found is not None
    return float(figures_of_folds(measured, found).stated("log_loss"))


if __name__ == "__main__":
    main()
