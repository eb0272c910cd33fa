"""Rows whose label is probably wrong: confident learning on the out-of-fold answers of the linear model.

Source: Northcutt, Jiang and Chuang (2021), Confident learning: estimating uncertainty in dataset labels, Journal of
Artificial Intelligence Research 70; ranked by self-confidence, as they do.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_cli.arrays import Floats, label_indices
from rnn_cli.checks.findings import Finding, Hit, Severity, counted
from rnn_cli.checks.rows import Rows
from rnn_cli.data.splits import stratify
from rnn_cli.linear.tfidf import fit_and_score
from rnn_cli.linear.words import Words

FOLDS = 5
SEED = 1

FEWEST_ROWS = 100
"""Fewer rows say too little of each other."""

FEWEST_OF_A_LABEL = 10
"""Rows of a rarer label are not judged, nor is it suggested: a fold would see next to none of it."""

MOST_WORDS = 20_000_000
"""Of longer data so many words' worth of rows by chance are judged, which bounds memory and time."""


@dataclass(frozen=True)
class Suspect:
    """A row, the label that the linear model would give it, and the probabilities of that and of the one it has."""

    row: int
    suggested: str
    probability: float
    given_probability: float


def judged_rows(rows: Rows, words: Words) -> list[int]:
    """The rows that the linear model can judge; none where they are too few or have one label."""
    counts = Counter(rows.labels)
    kept = [
        row for row, label in enumerate(rows.labels) if counts[label] >= FEWEST_OF_A_LABEL and words.lengths[row] > 0
    ]
    if words.lengths[kept].sum() > MOST_WORDS:
        order = np.random.default_rng(SEED).permutation(kept)
        kept = sorted(order[: np.searchsorted(words.lengths[order].cumsum(), MOST_WORDS)].tolist())
    return kept if len(kept) >= FEWEST_ROWS and len({rows.labels[row] for row in kept}) > 1 else []


def find_suspects(rows: Rows, judged: list[int], counts: Any) -> tuple[Suspect, ...]:
    """The rows that another label fits better, the least probable given label first.

    `judged` are the rows to look at and `counts` their features, `[judged, features]`. Each row is judged by a model
    that has not seen it or an equal text. There are none where those models answer no better than the most frequent
    label would.
    """
    texts, labels = [rows.texts[row] for row in judged], [rows.labels[row] for row in judged]
    names = sorted(set(labels))
    given = label_indices(names, labels)
    probabilities = np.zeros((len(judged), len(names)))
    everything = np.arange(len(judged))
    for fold in stratify(texts, labels, [1 / FOLDS] * (FOLDS - 1), SEED):
        held_out = np.array(fold, np.intp)
        train = np.setdiff1d(everything, held_out)
        if len(held_out) and len(np.unique(given[train])) > 1:
            probabilities[held_out] = fit_and_score(counts, given, train, held_out, len(names))
    if not _better_than_guessing(probabilities, given):
        return ()
    suggested = confident(probabilities, given)
    own = probabilities[everything, given]
    doubted = np.flatnonzero(suggested != given)
    return tuple(
        Suspect(
            judged[index],
            names[suggested[index]],
            float(probabilities[index, suggested[index]]),
            float(own[index]),
        )
        for index in doubted[np.argsort(own[doubted], kind="stable")].tolist()
    )


def _better_than_guessing(probabilities: Floats, given: Any) -> bool:
    """Whether the answers beat the most frequent label by two standard errors; else they are noise."""
    right, most = (probabilities.argmax(axis=1) == given).mean(), np.bincount(given).max() / len(given)
    return bool(right - most > 2 * np.sqrt(right * (1 - right) / len(given)))


def confident(probabilities: Floats, given: Any) -> Any:
    """The label each row is confidently counted to, else its own: `[rows]`.

    A label is confident for a row whose probability of it reaches the mean over the rows that have the label: it is
    then as sure as the model usually is where the label stands. Of several the most probable one counts.
    """
    labels = range(probabilities.shape[1])
    thresholds = [probabilities[given == label, label].mean() if (given == label).any() else np.inf for label in labels]
    reached = np.where(probabilities >= thresholds, probabilities, -1.0)
    return np.where(reached.max(axis=1) > 0, reached.argmax(axis=1), given)


def as_finding(suspects: tuple[Suspect, ...]) -> Iterator[Finding]:
    """The suspects as a finding, where there are any."""
    if suspects:
        yield Finding(
            "suspicious labels",
            Severity.WARNING,
            f"{counted(len(suspects), 'label is', 'labels are')} confidently contradicted by a linear model that has "
            "not seen the row, the surest first.",
            "Read them, the first ones first; further down it is ever more often the model that errs.",
            tuple(
                Hit(each.row, f"rather {each.suggested}: {each.probability:.1%}, against {each.given_probability:.1%}")
                for each in suspects
            ),
        )
