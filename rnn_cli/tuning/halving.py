"""What the trials of a search halve over: the folds of few rows, a first share of many, or their epochs.

By folds, a trial is measured on all rows that are not test rows, each predicted by a model of others; its own model
learns and is finished as ever. By rows, a network first learns from a share of the training rows.

Source: Jamieson and Talwalkar (2016), Non-stochastic best arm identification and hyperparameter optimization.
"""

from dataclasses import replace
from typing import Any, Literal, get_args

from rnn_cli.config.schema import Config
from rnn_cli.data.rows import Dataset
from rnn_cli.data.splits import Splits
from rnn_cli.errors import ConfigError, ConfigMistake
from rnn_cli.training.prepare import Prepared

Halving = Literal["folds", "rows", "epochs"]
"""What a trial does more and more of while it promises more than others."""

HALVING = "halving"
"""The key of the section `tune` that says it; all others say what is tried."""

MOST_FOLDED_ROWS = 5_000
"""Up to so many training rows, folds choose: a share of them cannot tell good from lucky. More are halved."""

FEW_OF_A_LABEL = 10
"""A label of fewer training rows may be absent from the others of a fold."""

SEARCH_FOLDS = 3
"""All rows are predicted however many folds there are; more take longer."""

FIRST_SHARE = 1 / 3
"""The share of the training rows that a network learns from first, as one trial in three goes on."""

LEAST_TRIALS = 6
"""Folds choose where the time has room for so many trials of the config; as most are stopped early, there are more."""

TOKENS_A_SECOND = 15_000
"""What networks of usual sizes read of training texts on two cores, about."""


def halving_in(section: object, where: str) -> tuple[Halving | None, object]:
    """What the section `tune` says of halving, None where it says nothing, and what else it says, None for nothing.

    Raises `ConfigError`.
    """
    if not isinstance(section, dict) or HALVING not in section:
        return None, section
    given: Any = section[HALVING]
    if given not in get_args(Halving):
        what = f"expected {', '.join(get_args(Halving)[:-1])} or {get_args(Halving)[-1]}, got {given!r}"
        raise ConfigError([ConfigMistake(what, f"tune.{HALVING}", where)])
    return given, {key: value for key, value in section.items() if key != HALVING} or None


def why_no_folds(config: Config, *, distil: bool) -> str | None:
    """Why a search around a config cannot choose by folds, None if it can."""
    others = {
        "data.time_column": config.data.time_column is not None,
        "data.sources": config.data.sources is not None,
        "a file of validation rows (data.validation)": isinstance(config.data.validation, str),
        "training.teacher": config.training.teacher is not None,
        "a distilled network": distil,
    }
    return next((name for name, is_there in others.items() if is_there), None)


def check_halving(asked: Halving, config: Config, where: str, *, distil: bool) -> None:
    """Refuse a halving that the config excludes. Raises `ConfigError`."""
    excludes = None
    if config.training.folds is not None:
        excludes = None if asked == "folds" else "training.folds"
    elif asked == "folds":
        excludes = why_no_folds(config, distil=distil)
    if excludes is not None:
        raise ConfigError([ConfigMistake(f"{asked} and {excludes} exclude each other", f"tune.{HALVING}", where)])


def usual_halving(config: Config, train: Dataset, tokens: float, seconds: float | None, *, distil: bool) -> Halving:
    """What suits the rows and the time: `tokens` are those of all training texts, `seconds` None without a limit."""
    if config.training.folds is not None:
        return "folds"
    if len(train) > MOST_FOLDED_ROWS:
        return "rows"
    rarest = min(train.label_counts().values(), default=0)
    if why_no_folds(config, distil=distil) is not None or rarest < FEW_OF_A_LABEL:
        return "epochs"
    # A fold's model learns from all rows but the fold's, and a last one from all: in all as often as there are folds.
    needed = LEAST_TRIALS * SEARCH_FOLDS * tokens * config.training.epochs / TOKENS_A_SECOND
    return "folds" if seconds is None or needed <= seconds else "epochs"


def halving_in_words(halving: Halving, config: Config, splits: Splits, *, distil: bool) -> str:
    """What the trials of a search are measured on and stopped by, in a line."""
    train, validation = len(splits.train), len(splits.validation)
    if config.training.folds is not None:
        return f"trials are measured by the config's {config.training.folds} folds"
    if halving == "folds":
        what = f"trials are measured by {SEARCH_FOLDS} folds of {train + validation:,} rows"
        return f"{what}, as {validation:,} validation rows tell little (tune.halving)"
    if halving == "rows":
        return f"networks learn from a third of {train:,} rows first, the promising ones from all (tune.halving)"
    if train > MOST_FOLDED_ROWS:
        return f"{validation:,} validation rows choose"
    excludes = why_no_folds(config, distil=distil)
    why = "folds would take too long" if excludes is None else f"{excludes} excludes folds"
    return f"{validation:,} validation rows choose: {why} (tune.halving)"


def in_folds(run: Prepared) -> Prepared:
    """A run as it is measured by folds of its rows: those of `splits.source`."""
    training = run.config.training.model_copy(update={"folds": SEARCH_FOLDS, "fold_repeats": 1, "baseline": False})
    return replace(run, config=run.config.model_copy(update={"training": training}))
