"""Several models' answers to the same rows: how good each is, and whether any differs from the first.

Knows nothing of files or terminals.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rnn_cli.data.reading.columns import show
from rnn_cli.errors import DataError
from rnn_cli.evaluation.answers import Answers
from rnn_cli.evaluation.comparison import Comparison, compare, holm
from rnn_cli.evaluation.intervals import Interval, losses_interval, macro_f1_interval, wilson_interval
from rnn_cli.evaluation.losses import Rows
from rnn_cli.evaluation.metrics import confusion_of, macro_f1
from rnn_cli.evaluation.names import apart

Key = tuple[str, ...]


@dataclass(frozen=True)
class Contestant:
    """A model's figures; `macro_f1` is the mean over all labels that occur, `log_loss` None where it is not known.

    The 95 % intervals are those of the module `intervals`, None where the rows tell too little for one.
    `against_first` is None for the first model; for another it tells how much better than the first it is, and
    `p_corrected` is its p-value corrected for the number of models compared with the first (Holm's).
    """

    name: str
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval | None
    log_loss: float | None
    log_loss_interval: Interval | None
    against_first: Comparison | None
    p_corrected: float | None


@dataclass(frozen=True)
class Contest:
    """Models measured on the same rows, in the order given."""

    rows: int
    models: tuple[Contestant, ...]

    def to_dict(self) -> dict[str, Any]:
        """The contest as plain values."""
        return asdict(self)


def hold(every: Sequence[Answers]) -> Contest:
    """Measure two or more models, and compare each with the first. Raises DataError if their rows are not the same.

    Rows are the same if their labels are, and their texts and ids as far as all have these; their order is free.
    """
    common = [key for key in every[0].keys if all(key in answers.keys for answers in every)]
    if not common:
        lacking = next(answers for answers in every if not set(answers.keys) & set(every[0].keys))
        raise DataError(f"has no column by which {every[0].name} tells its rows", where=lacking.name, mend="add texts")
    first_keys = _keys(every[0], common)
    orders = [np.arange(len(first_keys)), *(_order(every[0], answers, first_keys, common) for answers in every[1:])]
    labels = sorted({label for answers in every for label in (*answers.labels, *answers.predictions)})
    places = {label: place for place, label in enumerate(labels)}
    for answers in every:
        _refuse_foreign(answers)
    truth = _places(every[0].labels, places)
    given = [_places(answers.predictions, places)[order] for answers, order in zip(every, orders, strict=True)]
    found = [compare(truth, other, given[0], len(labels)) for other in given[1:]]
    corrected = holm([comparison.p_value for comparison in found])
    models = (
        _contestant(answers, truth, each, order, len(labels), comparison, p)
        for answers, each, order, comparison, p in zip(
            every, given, orders, (None, *found), (None, *corrected), strict=True
        )
    )
    return Contest(len(truth), tuple(models))


def _refuse_foreign(answers: Answers) -> None:
    """Another spelling of the labels would make every answer wrong."""
    if not set(answers.predictions) & set(answers.labels):
        raise DataError(
            f"answers {show(sorted(set(answers.predictions))[:3])}, which no row's label is",
            where=answers.name,
            mend=f"spell its predictions as its labels: {show(sorted(set(answers.labels))[:5])}",
        )


def _contestant(
    answers: Answers, truth: Rows, given: Rows, order: Rows, labels: int, against: Comparison | None, p: float | None
) -> Contestant:
    """The figures of a model whose answers, in the first's order of rows, are `given`; its own `order` leads there."""
    right = int((truth == given).sum())
    losses = None if answers.log_losses is None else answers.log_losses[order]
    return Contestant(
        name=answers.name,
        accuracy=right / len(truth),
        accuracy_interval=wilson_interval(right, len(truth)),
        macro_f1=macro_f1(truth, given, labels),
        macro_f1_interval=macro_f1_interval(confusion_of(truth, given, labels)),
        log_loss=None if losses is None else float(losses.mean()),
        log_loss_interval=None if losses is None else losses_interval(losses, len(truth) - right),
        against_first=against,
        p_corrected=p,
    )


def _keys(answers: Answers, common: Sequence[str]) -> list[Key]:
    return list(zip(*(answers.keys[key] for key in common), answers.labels, strict=True))


def _places(names: Sequence[str], places: dict[str, int]) -> Rows:
    return np.array([places[name] for name in names], np.intp)


def _order(first: Answers, other: Answers, first_keys: Sequence[Key], common: Sequence[str]) -> Rows:
    """Where the first's rows stand among the other's; equal rows are taken in their order."""
    other_keys = _keys(other, common)
    only_first, only_other = Counter(first_keys) - Counter(other_keys), Counter(other_keys) - Counter(first_keys)
    if only_first or only_other:
        raise _different(first, other, only_first, only_other)
    where: defaultdict[Key, deque[int]] = defaultdict(deque)
    for place, key in enumerate(other_keys):
        where[key].append(place)
    return np.array([where[key].popleft() for key in first_keys], np.intp)


def _different(first: Answers, other: Answers, only_first: Counter[Key], only_other: Counter[Key]) -> DataError:
    told = [
        f"{only.total():,} {'is' if only.total() == 1 else 'are'} in {answers.name} only ({_some(only)})"
        for answers, only in ((first, only_first), (other, only_other))
        if only
    ]
    relabelled = len({key[:-1] for key in only_first} & {key[:-1] for key in only_other})
    if relabelled:
        told.append(f"{relabelled:,} of them have other labels there")
    return DataError(
        f"not the same rows as {first.name}: {', '.join(told)}",
        where=other.name,
        mend="runs keep the same rows apart only with the same data and data.split_seed; "
        "rnn compare --data FILE scores them all on the same labelled rows",
    )


def _some(only: Counter[Key], most: int = 2) -> str:
    texts = [key[-2] for key in list(only)[:most]]  # the text, or else the id
    forms = apart(texts, 33, lambda text, cells: text if len(text) <= cells else text[: cells - 3] + "...")
    return ", ".join(repr(forms[text]) for text in texts) + (", ..." if len(only) > most else "")
