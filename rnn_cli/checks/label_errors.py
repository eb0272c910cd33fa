"""Rows whose label is probably wrong: confident learning on the linear model's predictions for rows it has not seen.

Source: Northcutt, Jiang and Chuang (2021), Confident learning: estimating uncertainty in dataset labels, Journal of
Artificial Intelligence Research 70; ranked by self-confidence, as they do.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_cli.arrays import Floats, label_indices
from rnn_cli.checks.findings import Finding, Hit, Severity, finding_if
from rnn_cli.checks.rows import CheckedRows
from rnn_cli.copies.words import Words
from rnn_cli.data.splits import stratify
from rnn_cli.linear.tfidf import fit_and_score

FOLDS = 5

JUDGED_ROWS = 100
"""Fewer rows say too little about each other."""

ROWS_PER_JUDGED_LABEL = 10
"""Rows of a rarer label are not judged, nor is it suggested: a fold would hold hardly any of it."""

JUDGED_WORDS = 20_000_000
"""Of longer data, random rows of this many words are judged, which bounds memory and time."""


JUDGED_FITS = 800_000
"""Of many labels, so many of the most frequent ones are judged that their number times their rows is at most this,
which bounds the time to half a minute or so on two cores."""

FEWEST_JUDGED_LABELS = 8
"""However many rows they have, so many labels are judged: they are fitted together."""


@dataclass(frozen=True)
class Suspect:
    """A row, the label that the linear model suggests, and the probabilities of that label and of the row's own."""

    row: int
    suggested: str
    probability: float
    given_probability: float


def judged_rows(rows: CheckedRows, words: Words) -> list[int]:
    """The rows that the linear model can judge; none where they are too few or have one label."""
    frequent: set[str] = set()
    total = 0
    for label, count in Counter(rows.labels).most_common():
        total += count
        number = len(frequent) + 1
        if count < ROWS_PER_JUDGED_LABEL or (number > FEWEST_JUDGED_LABELS and number * total > JUDGED_FITS):
            break
        frequent.add(label)
    kept = [row for row, label in enumerate(rows.labels) if label in frequent and words.lengths[row] > 0]
    if words.lengths[kept].sum() > JUDGED_WORDS:
        order = np.random.default_rng(1).permutation(kept)
        kept = sorted(order[: np.searchsorted(words.lengths[order].cumsum(), JUDGED_WORDS)].tolist())
    return kept if len(kept) >= JUDGED_ROWS and len({rows.labels[row] for row in kept}) > 1 else []


def find_suspects(
    rows: CheckedRows, judged: list[int], counts: Any, progress: Callable[[int, int], None] = lambda *_: None
) -> tuple[Suspect, ...]:
    """The rows that another label fits better, the least probable given label first.

    `judged` are the rows to judge and `counts` their features, `[judged, features]`. Each row is judged by a model
    that has not seen it or an equal text. There are none where those models predict no better than the most frequent
    label does.
    """
    texts, labels = [rows.texts[row] for row in judged], [rows.labels[row] for row in judged]
    names = sorted(set(labels))
    given = label_indices(names, labels)
    probabilities = np.zeros((len(judged), len(names)))
    everything = np.arange(len(judged))
    for done, fold in enumerate(stratify(texts, labels, [1 / FOLDS] * (FOLDS - 1), 1)):
        progress(done, FOLDS)
        held_out = np.array(fold, np.intp)
        train = np.setdiff1d(everything, held_out)
        if len(held_out) and len(np.unique(given[train])) > 1:
            probabilities[held_out] = fit_and_score(counts, given, train, held_out, len(names))
    return tuple(
        Suspect(judged[at], names[label], float(probabilities[at, label]), float(probabilities[at, given[at]]))
        for at, label in contradicted(probabilities, given)
    )


def contradicted(probabilities: Floats, given: Any) -> list[tuple[int, int]]:
    """The rows whose label `given` `[rows]` is contradicted by the probabilities `[rows, labels]` of unseen rows.

    Each is a row and the label that fits better, the least probable given label first. There are none where the most
    probable label is right no more often than the most frequent one.
    """
    if not _better_than_guessing(probabilities, given):
        return []
    suggested, own = confident(probabilities, given), probabilities[np.arange(len(given)), given]
    doubted = np.flatnonzero(suggested != given)
    return [(at, int(suggested[at])) for at in doubted[np.argsort(own[doubted], kind="stable")].tolist()]


def _better_than_guessing(probabilities: Floats, given: Any) -> bool:
    """Whether the predictions beat the most frequent label by two standard errors; otherwise they are noise."""
    right, most = (probabilities.argmax(axis=1) == given).mean(), np.bincount(given).max() / len(given)
    return bool(right - most > 2 * np.sqrt(right * (1 - right) / len(given)))


def confident(probabilities: Floats, given: Any) -> Any:
    """The label that is confident for each row, otherwise its own: `[rows]`.

    A label is confident for a row if its probability reaches the mean over the rows that have the label: the model is
    then as sure as it usually is for this label. Of several such labels the most probable one counts.
    """
    labels = range(probabilities.shape[1])
    thresholds = [probabilities[given == label, label].mean() if (given == label).any() else np.inf for label in labels]
    reached = np.where(probabilities >= thresholds, probabilities, -1.0)
    return np.where(reached.max(axis=1) > 0, reached.argmax(axis=1), given)


def find_label_errors(
    rows: CheckedRows, judged: list[int], counts: Any, progress: Callable[[int, int], None] = lambda *_: None
) -> list[Finding]:
    """The finding about the rows of `find_suspects`; calls `progress` with the folds done and their number."""
    return finding_if(
        (
            Hit(each.row, f"rather {each.suggested}: {each.probability:.1%}, against {each.given_probability:.1%}")
            for each in find_suspects(rows, judged, counts, progress)
        ),
        "suspicious labels",
        Severity.WARNING,
        ("label is", "labels are"),
        "confidently contradicted by a linear model that has not seen the row, the surest first.",
        "Read them in this order; further down the model is wrong more often.",
    )
