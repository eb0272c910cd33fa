"""New texts held against the summary of those that a model was trained and measured on: what differs beyond chance.

Every feature is tested, and the words together; the p-values are corrected for their number (Holm), so that all tests
together see a difference in 5 % of the cases in which there is none. A row is taken to be independent of the others.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnn_cli.arrays import Flags, Floats, Indices
from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.columns import NumberColumn
from rnn_cli.copies.words import split_words
from rnn_cli.data.numbers import numbers_of
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import BundleError, DataError
from rnn_cli.evaluation.compare import holm, kept_metrics, read_predictions
from rnn_cli.evaluation.evaluate import numbers_of_columns, true_labels
from rnn_cli.evaluation.evaluate_several import kept_metrics_of_each, true_flags
from rnn_cli.evaluation.folds import judged_side
from rnn_cli.evaluation.metrics import Metrics
from rnn_cli.evaluation.several import SeveralMetrics
from rnn_cli.monitoring.features import (
    OF_COLUMN,
    OF_ERROR,
    OF_NUMBER,
    Histogram,
    ReadTexts,
    count_columns,
    count_predictions,
    count_texts,
    in_same_bins,
    of_numbers,
)
from rnn_cli.monitoring.summary import FEATURES, TextsSummary
from rnn_cli.monitoring.two_sample import Means, MeansTest, compare_means, permutation_p
from rnn_cli.monitoring.words import Hashed, counts_of, rarity, vectors
from rnn_cli.scoring.predictor import OnScored, Predictor
from rnn_cli.text.plain import html_table

WORDS, ACCURACY = "words", "accuracy"

FEWEST_ROWS_FOR_DRIFT = 30
"""On fewer new rows nothing is said: chance alone would explain almost anything."""

MOST_ROWS_FOR_WORDS = 2_000
"""Of more new rows, so many are taken evenly to test the words, as that takes memory for each pair of rows."""

SURE_OF_DRIFT = 0.05
"""The corrected p-value below which a difference is called one."""

FAR_FROM_CHANCE = 4.5
"""Standard errors by which a word's share must differ to be named: by chance one in 30 samples names a word."""

MOST_WORDS, MOST_EXAMPLES = 10, 5


@dataclass(frozen=True)
class Shift:
    """One tested feature: its p-value, and the same corrected for the number of tests.

    Of numbers, `then` and `now` are means; of names the shares of `name`, whose share changed most. `rows_then` and
    `rows_now` were counted. Of the words, `then` and `now` are None.
    """

    feature: str
    p_value: float
    corrected: float
    rows_then: int
    rows_now: int
    then: float | None = None
    now: float | None = None
    name: str | None = None

    @property
    def is_sure(self) -> bool:
        """Whether it differs beyond chance."""
        return self.corrected < SURE_OF_DRIFT


@dataclass(frozen=True)
class WordShift:
    """A word whose hash is in another share of texts than `then`, with all words of that hash."""

    word: str
    then: float
    now: float


@dataclass(frozen=True)
class Example:
    """A new row that differs most from the training texts, as the classifier of `compare_means` scores it."""

    where: str
    text: str
    score: float


@dataclass(frozen=True)
class Drift:
    """What new rows came to. `shifts` are the tests in order; `distance` is that of the words' test, 0 for the same.

    `more` and `fewer` are words in more and in fewer texts than then. `learned` counts new rows that the model learned
    from, which are left out of what depends on the model; None where that is not known. `side` names the run's own rows
    (`folds`, `test` or `validation`) whose accuracy is compared; None where labels do not count.
    """

    model: Path
    data: str
    rows: int
    learned: int | None
    shifts: tuple[Shift, ...]
    distance: float
    more: tuple[WordShift, ...] = ()
    fewer: tuple[WordShift, ...] = ()
    examples: tuple[Example, ...] = ()
    warnings: tuple[str, ...] = ()
    side: str | None = None

    @property
    def is_sure(self) -> bool:
        """Whether anything differs beyond chance."""
        return any(each.is_sure for each in self.shifts)

    @property
    def p_value(self) -> float:
        """That of all tests together: how often chance alone gives one such difference or more."""
        return min(each.corrected for each in self.shifts)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {**asdict(self), "model": str(self.model), "drift": self.is_sure, "p_value": self.p_value}

    def __repr__(self) -> str:
        """The rows and the result."""
        found = ", ".join(each.feature for each in self.shifts if each.is_sure) or "nothing"
        return f"Drift({self.data}, {self.rows:,} rows: {found} differs, p = {self.p_value:.2g})"

    def _repr_html_(self) -> str:
        rows = [
            (
                each.feature,
                *(f"{value:.3g}" if value is not None else "" for value in (each.then, each.now)),
                f"{each.corrected:.3g}",
            )
            for each in self.shifts
        ]
        return html_table((f"{self.rows:,} rows", "then", "now", "p (Holm)"), rows)


def find_drift(
    predictor: Predictor,
    then: TextsSummary,
    rows: Dataset,
    learned: Flags | None,
    right_then: Histogram | None = None,
    on_scored: OnScored | None = None,
) -> Drift:
    """Compare new rows with a model's summary. `learned` says which of them the model learned from, `[rows]`.

    `right_then` counts the rows that were predicted right when the model was measured, of numbers how far they were off
    (`kept_right`); with it the new rows' labels count, too. Raises `DataError` for too few rows, and for a label that
    the model does not know.
    """
    if len(rows) < FEWEST_ROWS_FOR_DRIFT:
        what = f"{len(rows):,} rows are too few to tell drift from chance"
        raise DataError(what, where=rows.name, hint=f"give {FEWEST_ROWS_FOR_DRIFT} or more")
    read = ReadTexts.of(predictor, rows.texts)
    now = count_texts(rows.texts, read.lengths)
    new = np.arange(len(rows)) if learned is None else np.flatnonzero(~learned)
    right_now: Histogram | None = None
    columns = numbers_of_columns(predictor, rows)
    if len(new):
        columns = None if columns is None else columns[new]
        scores = predictor.score_encoded([read.ids[row] for row in new.tolist()], on_scored, columns)
        now |= count_predictions(predictor, [read.unknown[row] for row in new.tolist()], scores.probabilities)
        if right_then is not None:
            right_now = count_right(predictor, rows.select(new.tolist()), scores.probabilities)
    hashed = Hashed()
    places = [hashed.places(text) for text in rows.texts]
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_ROWS_FOR_WORDS)).astype(np.intp))
    weights = rarity(then.counts, then.texts)
    means = compare_means(Means(then.sums, then.sizes), vectors([places[row] for row in chosen.tolist()], weights))
    now |= count_columns(predictor.extra_columns, rows.further) if predictor.columns else {}
    names = [*FEATURES, *(name for name in then.histograms if name not in FEATURES)]
    tested = [
        _shift(name, then.histograms[name], now[name]) for name in names if name in then.histograms and name in now
    ]
    if right_then is not None and right_now is not None:
        tested.append(_shift(OF_ERROR if predictor.number else ACCURACY, right_then, right_now))
    tested = [_in_unit(each, predictor) for each in tested]
    tested.append(Shift(WORDS, means.p_value, 0.0, then.texts, len(chosen)))
    corrected = holm([each.p_value for each in tested])
    shifts = tuple(Shift(**{**asdict(each), "corrected": p}) for each, p in zip(tested, corrected, strict=True))
    more, fewer = _words(then, counts_of(places), len(rows), _names(rows.texts, predictor, hashed))
    return Drift(
        predictor.bundle.path,
        rows.name,
        len(rows),
        None if learned is None else int(learned.sum()),
        shifts,
        means.distance,
        more,
        fewer,
        _examples(rows, chosen, means),
    )


RIGHT, WRONG = "right", "wrong"


def count_right(predictor: Predictor, rows: Dataset, probabilities: Floats) -> Histogram:
    """How many labelled rows are predicted right, of several labels a text with all of them.

    Of numbers it counts how far they are off.
    """
    if predictor.number:
        return of_numbers(OF_ERROR, np.abs(probabilities[:, 0] - numbers_of(rows)) / predictor.spread)
    chosen = predictor.decision.choose(probabilities)
    if predictor.several:
        right = int((true_flags(rows, predictor.labels) == chosen).all(axis=1).sum())
    else:
        right = int((true_labels(rows, predictor.labels) == chosen).sum())
    return Histogram({RIGHT: right, WRONG: len(rows) - right})


def kept_right(opened: Bundle) -> tuple[Histogram, str]:
    """The same of the run's own rows that say how good it is, and their side, as `judged_side` names it.

    Raises `BundleError` where it kept no metrics.
    """
    side = judged_side(opened)
    if opened.manifest.number:
        kept = read_predictions(str(opened.path), side)
        errors = [abs(float(given) - float(true)) for given, true in zip(kept.predictions, kept.labels, strict=True)]
        return of_numbers(OF_ERROR, np.array(errors) / opened.manifest.scale), side
    found: Metrics | SeveralMetrics | None
    found = kept_metrics_of_each(opened, side) if opened.manifest.several else kept_metrics(opened, side)
    if found is None:
        raise BundleError("keeps no metrics of its own rows", where=str(opened.path))
    share = found.exact_match if isinstance(found, SeveralMetrics) else found.accuracy
    right = round(share * found.rows)
    return Histogram({RIGHT: right, WRONG: found.rows - right}), side


def _shift(feature: str, then: Histogram, now: Histogram) -> Shift:
    names, first, second = in_same_bins(then, now)
    p_value = permutation_p(first, second, ordered=then.is_ordered)
    if then.is_ordered:
        return Shift(feature, p_value, 0.0, then.rows, now.rows, then.mean, now.mean)
    shares = first / max(first.sum(), 1), second / max(second.sum(), 1)
    most = 0 if feature == ACCURACY else int(np.argmax(np.abs(shares[1] - shares[0])))
    of_name = (float(shares[0][most]), float(shares[1][most]), names[most])
    return Shift(feature, p_value, 0.0, int(first.sum()), int(second.sum()), *of_name)


def _in_unit(shift: Shift, predictor: Predictor) -> Shift:
    """A shift whose means are in the numbers' own unit, where they are counted in standard deviations."""
    column = next(
        (
            each
            for each in (predictor.extra_columns.columns if predictor.extra_columns is not None else ())
            if shift.feature == f"{OF_COLUMN}{each.name}" and isinstance(each, NumberColumn)
        ),
        None,
    )
    if column is not None:
        center, scale = column.mean, column.scale
    elif shift.feature in (OF_NUMBER, OF_ERROR):
        center, scale = (predictor.bundle.manifest.center if shift.feature == OF_NUMBER else 0.0), predictor.spread
    else:
        return shift
    then, now = (None if each is None else center + scale * each for each in (shift.then, shift.now))
    return replace(shift, then=then, now=now)


def _names(texts: Sequence[str], predictor: Predictor, hashed: Hashed) -> Mapping[int, tuple[str | None, str | None]]:
    """For each hash, the most frequent word of the new texts that has it, and that of the vocabulary."""
    occurring = Counter(word for text in texts for word in set(split_words(text)))
    found: dict[int, tuple[str | None, str | None]] = {}
    for word, _ in sorted(occurring.items(), key=lambda each: (-each[1], each[0])):
        found.setdefault(hashed.place(word), (word, None))
    for token in predictor.tokenizer.vocab[2:]:
        words = split_words(token)
        if len(words) == 1 and found.get(place := hashed.place(words[0]), (None, None))[1] is None:
            found[place] = (found.get(place, (None, None))[0], words[0])
    return found


def _words(
    then: TextsSummary, counts: Indices, rows: int, names: Mapping[int, tuple[str | None, str | None]]
) -> tuple[tuple[WordShift, ...], tuple[WordShift, ...]]:
    """The hashes whose shares of texts differ most beyond chance, by a word each: in more texts, and in fewer."""
    before, after = then.counts / then.texts, counts / rows
    both = (then.counts + counts) / (then.texts + rows)
    errors = np.sqrt(np.maximum(both * (1 - both), 1e-12) * (1 / then.texts + 1 / rows))
    far: Floats = (after - before) / errors
    found: tuple[list[WordShift], list[WordShift]] = ([], [])
    for side, order in enumerate((np.argsort(-far, kind="stable"), np.argsort(far, kind="stable"))):
        for place in order[: 5 * MOST_WORDS].tolist():
            word = names.get(place, (None, None))[side]
            if abs(far[place]) >= FAR_FROM_CHANCE and (far[place] > 0) == (side == 0) and word is not None:
                found[side].append(WordShift(word, float(before[place]), float(after[place])))
    return tuple(found[0][:MOST_WORDS]), tuple(found[1][:MOST_WORDS])


def _examples(rows: Dataset, chosen: Indices, means: MeansTest) -> tuple[Example, ...]:
    """The rows that differ most from the training texts, each text once."""
    found: dict[str, Example] = {}
    for place in np.argsort(-means.scores, kind="stable")[: 20 * MOST_EXAMPLES].tolist():
        row = int(chosen[place])
        found.setdefault(rows.texts[row], Example(rows.where(row), rows.texts[row], float(means.scores[place])))
    return tuple(found.values())[:MOST_EXAMPLES]
