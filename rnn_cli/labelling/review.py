"""Labels that are most likely wrong, by the model in the loop: each text is judged by one that has not seen its label.

The rule is that of `rnn data check`. A label that was looked at again is not doubted any more.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_cli.arrays import Flags, Floats, Indices
from rnn_cli.bundle.locate import GENERAL
from rnn_cli.checks.label_errors import ROWS_PER_JUDGED_LABEL, contradicted
from rnn_cli.config.schema import DataConfig
from rnn_cli.errors import DataError
from rnn_cli.labelling.answers import Answer, LabelOrSet, labels_in, log_of, read_log
from rnn_cli.labelling.learner import LoopModel
from rnn_cli.labelling.texts import TextPool, read_pool
from rnn_cli.labelling.vectors import OnRead, TextVectors

LEAST_JUDGED = 50
"""Fewer labelled texts say too little about each other."""

REVIEW_FOLDS = 10


@dataclass(frozen=True)
class DoubtedLabel:
    """A row whose label is doubted: the label that fits better, both with the model's probability.

    Of several labels one is doubted, there or not there, and the probabilities are those of that. `like` is the
    row most like it among those that have the better label.
    """

    row: int
    label: LabelOrSet
    suggested: LabelOrSet
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
    counts = Counter(label for each in answers.values() for label in labels_in(each.label))
    names, is_several = [label for label in labels if counts[label] >= ROWS_PER_JUDGED_LABEL], learner.kind == "several"
    of_row = {
        row: tuple(label for label in labels_in(each.label) if label in names)
        for row, each in answers.items()
        if each.label is not None and (is_several or each.label in names)
    }
    if len(of_row) < LEAST_JUDGED or len(names) < (1 if is_several else 2):
        what = f"labels are judged by each other, which takes {LEAST_JUDGED} texts, {ROWS_PER_JUDGED_LABEL} of a label"
        told = ", ".join(f"{label} {counts[label]:,}" for label in labels)
        raise DataError(f"{what} (there are: {told})", where=texts.source, hint="label more first")
    place = {int(row): at for at, row in enumerate(texts.pool)}
    rows, truth = list(of_row), np.array([[name in given for name in names] for given in of_row.values()], np.bool_)
    numbers = [place.get(row, len(place) + row) for row in rows]
    for row, number in zip(rows, numbers, strict=True):
        if row not in place:
            learner.add(number, texts.rows[row])
    probabilities = _by_others(learner, names, numbers, truth, on_fold)
    found: list[DoubtedLabel] = []
    contradictions = sorted(_contradictions(probabilities, truth, is_several), key=lambda each: each[1])
    for at, own, better, is_there in contradictions:
        row, label = rows[at], answers[rows[at]].label
        assert label is not None
        if is_several:
            flipped = set(label) ^ {names[better]}
            suggested: LabelOrSet = tuple(each for each in labels if each in flipped)
        else:
            suggested = names[better]
        like = rows[_most_like(learner, numbers, at, np.flatnonzero(truth[:, better] == is_there))]
        if not answers[row].is_reviewed and row not in {each.row for each in found}:
            fits = 1 - own if is_several else float(probabilities[at, better])
            found.append(DoubtedLabel(row, label, suggested, own, fits, like))
    return found


def _contradictions(probabilities: Floats, truth: Flags, is_several: bool) -> Iterator[tuple[int, float, int, bool]]:
    """Each contradicted text, its label's probability, and the label that it should have, or of several should not."""
    if not is_several:
        given = truth.argmax(axis=1)
        for at, better in contradicted(probabilities, given):
            yield at, float(probabilities[at, given[at]]), better, True
        return
    for label in range(truth.shape[1]):
        of_label = np.stack([1 - probabilities[:, label], probabilities[:, label]], axis=1)
        given = truth[:, label].astype(np.intp)
        for at, better in contradicted(of_label, given):
            yield at, float(of_label[at, given[at]]), label, bool(better)


def doubts_of(
    source: str,
    config: DataConfig,
    by: str | None = None,
    base: str | None = GENERAL,
    on_read: OnRead = lambda *_: None,
) -> tuple[TextPool, list[DoubtedLabel]]:
    """The texts of a file, and the labels in its log that are most likely wrong; changes nothing.

    Raises `UsageError`, `DataError` and `BundleError`.
    """
    head, answers = read_log(log := log_of(source, by))
    texts = read_pool(source, config)
    head.check(len(texts.rows), texts.fingerprint, log)
    learner = LoopModel(TextVectors.of([texts.rows[row] for row in texts.pool], base, on_read), answers.kind)
    return texts, doubted_labels(learner, texts, answers.labels, answers.by_row)


def _by_others(
    learner: LoopModel,
    names: Sequence[str],
    numbers: Sequence[int],
    truth: Flags,
    on_fold: OnRead,
) -> Floats:
    """The probabilities `[texts, names]` of each text by a model of the others, in folds with as much of each label."""
    order = np.random.default_rng(1).permutation(len(numbers))
    fold_of = np.empty(len(numbers), np.intp)
    fold_of[order[np.lexsort(truth[order].T)]] = np.arange(len(numbers)) % REVIEW_FOLDS
    found = np.zeros((len(numbers), len(names)))
    given = [tuple(name for name, each in zip(names, row, strict=True) if each) for row in truth.tolist()]
    for fold in range(REVIEW_FOLDS):
        on_fold(fold, REVIEW_FOLDS)
        held_out, others = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
        model = learner.model_of(names, {numbers[at]: given[at] for at in others.tolist()})
        assert model is not None  # the labels have ten texts or more
        found[held_out] = model.probabilities(learner.rows_of([numbers[at] for at in held_out.tolist()]))
    return found


def _most_like(learner: LoopModel, numbers: Sequence[int], one: int, others: Indices) -> int:
    """The one of the others that is most like a text; all are places in `numbers`."""
    of_one, of_others = learner.rows_of([numbers[one]]), learner.rows_of([numbers[each] for each in others.tolist()])
    lengths = np.linalg.norm(of_others.dense, axis=1) * np.linalg.norm(of_one.dense)
    near = of_others.dense @ of_one.dense[0] / np.maximum(lengths, 1e-9)
    return int(others[((of_others.ngrams @ of_one.ngrams.T).toarray().ravel() + near).argmax()])
