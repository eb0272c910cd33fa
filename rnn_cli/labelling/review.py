"""Labels that are most likely wrong, by the model in the loop: each text is judged by one that has not seen its label.

The rule is that of `rnn data check`. A label that was looked at again is not doubted any more.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_cli.arrays import Floats, Indices
from rnn_cli.bundle.locate import GENERAL
from rnn_cli.checks.label_errors import ROWS_PER_JUDGED_LABEL, contradicted
from rnn_cli.config.schema import DataConfig
from rnn_cli.errors import DataError
from rnn_cli.labelling.answers import Answer, log_of, read_log
from rnn_cli.labelling.learner import LoopModel
from rnn_cli.labelling.texts import TextPool, read_pool
from rnn_cli.labelling.vectors import OnRead, TextVectors

LEAST_JUDGED = 50
"""Fewer labelled texts say too little about each other."""

REVIEW_FOLDS = 10


@dataclass(frozen=True)
class DoubtedLabel:
    """A row whose label is doubted: the label that fits better, both with the model's probability.

    `like` is the row most like it among those that have the better label.
    """

    row: int
    label: str
    suggested: str
    label_probability: float
    probability: float
    like: int


def doubted_labels(
    learner: LoopModel,
    texts: TextPool,
    labels: Sequence[str],
    answers: Mapping[int, Answer],
    on_fold: OnRead = lambda *_: None,
) -> list[DoubtedLabel]:
    """The labels of answers by row that are most likely wrong, the least probable first.

    Labels of fewer than ten texts are neither judged nor suggested, and none is doubted where the model is right no
    more often than the most frequent label. `on_fold` is called with how many parts are judged, of how many.
    Raises `DataError` where too few texts are labelled.
    """
    counts = Counter(each.label for each in answers.values())
    names = [label for label in labels if counts[label] >= ROWS_PER_JUDGED_LABEL]
    of_row = {row: each.label for row, each in answers.items() if each.label in names and each.label is not None}
    if len(of_row) < LEAST_JUDGED or len(names) < 2:
        what = f"labels are judged by each other, which takes {LEAST_JUDGED} texts, {ROWS_PER_JUDGED_LABEL} of a label"
        told = ", ".join(f"{label} {counts[label]:,}" for label in labels)
        raise DataError(f"{what} (there are: {told})", where=texts.source, hint="label more first")
    place = {int(row): at for at, row in enumerate(texts.pool)}
    rows, given = list(of_row), np.array([names.index(label) for label in of_row.values()], np.intp)
    numbers = [place.get(row, len(place) + row) for row in rows]
    for row, number in zip(rows, numbers, strict=True):
        if row not in place:
            learner.add(number, texts.rows[row])
    probabilities = _by_others(learner, names, numbers, given, on_fold)
    return [
        DoubtedLabel(
            rows[at],
            names[given[at]],
            names[better],
            float(probabilities[at, given[at]]),
            float(probabilities[at, better]),
            rows[_most_like(learner, numbers, at, np.flatnonzero(given == better))],
        )
        for at, better in contradicted(probabilities, given)
        if not answers[rows[at]].is_reviewed
    ]


def doubts_of(
    source: str,
    config: DataConfig,
    by: str | None = None,
    base: str | None = GENERAL,
    on_read: OnRead = lambda *_: None,
) -> tuple[Sequence[str], list[DoubtedLabel]]:
    """The texts of a file, and the labels in its log that are most likely wrong; changes nothing.

    Raises `UsageError`, `DataError` and `BundleError`.
    """
    head, answers = read_log(log := log_of(source, by))
    texts = read_pool(source, config)
    head.check(len(texts.rows), texts.fingerprint, log)
    learner = LoopModel(TextVectors.of([texts.rows[row] for row in texts.pool], base, on_read))
    return texts.rows, doubted_labels(learner, texts, answers.labels, answers.by_row)


def _by_others(
    learner: LoopModel,
    names: Sequence[str],
    numbers: Sequence[int],
    given: Indices,
    on_fold: OnRead,
) -> Floats:
    """The probabilities `[texts, names]` of each text by a model of the others, in folds with as much of each label."""
    order = np.random.default_rng(1).permutation(len(numbers))
    fold_of = np.empty(len(numbers), np.intp)
    fold_of[order[np.argsort(given[order], kind="stable")]] = np.arange(len(numbers)) % REVIEW_FOLDS
    found = np.zeros((len(numbers), len(names)))
    for fold in range(REVIEW_FOLDS):
        on_fold(fold, REVIEW_FOLDS)
        held_out = np.flatnonzero(fold_of == fold)
        model = learner.model_of(
            names, {numbers[at]: names[given[at]] for at in np.flatnonzero(fold_of != fold).tolist()}
        )
        assert model is not None  # two labels have ten texts or more
        found[held_out] = model.probabilities(learner.rows_of([numbers[at] for at in held_out.tolist()]))
    return found


def _most_like(learner: LoopModel, numbers: Sequence[int], one: int, others: Indices) -> int:
    """The one of the others that is most like a text; all are places in `numbers`."""
    of_one, of_others = learner.rows_of([numbers[one]]), learner.rows_of([numbers[each] for each in others.tolist()])
    lengths = np.linalg.norm(of_others.dense, axis=1) * np.linalg.norm(of_one.dense)
    near = of_others.dense @ of_one.dense[0] / np.maximum(lengths, 1e-9)
    return int(others[((of_others.ngrams @ of_one.ngrams.T).toarray().ravel() + near).argmax()])
