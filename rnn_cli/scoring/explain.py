"""Which words speak for and against a prediction, measured by leaving them out.

A part's weight is the difference that it makes: the predicted label's log-odds with it, minus those without it (Li,
Monroe and Jurafsky 2016, Understanding Neural Networks through Representation Erasure; for images Zeiler and Fergus
2014, Visualizing and Understanding Convolutional Networks). It runs the graph that predicted, so it works for every
network and for the n-grams beside it, and needs no gradients.
"""

from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rnn_cli.arrays import Floats32
from rnn_cli.columns import plain_cell
from rnn_cli.scoring.ordered import expected_values
from rnn_cli.scoring.prediction import ColumnPart, Part
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.splitting import Span

if TYPE_CHECKING:
    from rnn_cli.columns import ExtraValues

TOKENS_AT_ONCE = 1 << 20
"""About how many tokens of texts without a part are in memory at once."""

TokenRange = tuple[int, int]
"""Neighbouring tokens among those that are read: ids[first:stop]."""


def explain_texts(
    predictor: Predictor,
    texts: Sequence[str],
    predicted: Sequence[int] | None = None,
    *,
    most_parts: int | None = None,
    columns: "ExtraValues | None" = None,
) -> list[tuple[Part, ...]]:
    """The parts of each text, in order, with the effect of each on the prediction.

    `predicted` are the indices of the labels to explain; by default the predicted ones, of several labels the most
    probable one. Each token that the network
    reads is a part. With `most_parts`, neighbours are joined to at most that many parts of about equally many tokens,
    so that a text costs no more scorings (two parts where the middle of a text is not read). Tokens that share a
    character are one part. Text that is cut or filtered out is in no part.

    A part is left out by deleting its ids, so that its neighbours meet, as in a text written without it. Replacing it
    by the unknown token finds nearly the same words (tests/bench/explanations.py measures both), but to the network
    that token is a word with a weight of its own, and the effect of unknown words would be hidden. A text with nothing
    left is scored as an empty one. `columns` are the values of other columns that the model reads, as
    `Predictor.score` takes them; `explain_columns` tells of their effect.

    Raises `ValueError` for `most_parts` below 1.
    """
    if most_parts is not None and most_parts < 1:
        raise ValueError(f"most_parts: expected at least 1, got {most_parts}")
    if predicted is None and predictor.number:
        predicted = [0] * len(texts)
    if predicted is None:
        predicted = predictor.likeliest(predictor.score(texts, columns).probabilities).tolist()
    numbers = predictor.encoded_columns(columns, len(texts))
    return [
        _explain(predictor, text, label, most_parts, None if numbers is None else numbers[row : row + 1])
        for row, (text, label) in enumerate(zip(texts, predicted, strict=True))
    ]


def explain_columns(
    predictor: Predictor, texts: Sequence[str], columns: "ExtraValues", predicted: Sequence[int] | None = None
) -> list[tuple[ColumnPart, ...]]:
    """The other columns of each text, in the model's order, with the effect of each on the prediction.

    A column's weight is the difference that its value makes: the predicted label's log-odds with it, minus those where
    it is missing, the text and the other columns as they are; as a text's parts are weighed. `predicted` as in
    `explain_texts`. A model that reads no columns gives none.
    """
    if predictor.extra_columns is None:
        return [() for _ in texts]
    if predicted is None:
        predicted = predictor.likeliest(predictor.score(texts, columns).probabilities).tolist()
    names, nothing = predictor.columns, [None] * len(texts)
    whole = predictor.encoded_columns(columns, len(texts))
    without = [predictor.encoded_columns({**columns, name: nothing}, len(texts)) for name in names]
    found = []
    for row, (text, label) in enumerate(zip(texts, predicted, strict=True)):
        rows = np.stack([each[row] for each in (whole, *without) if each is not None])
        odds = log_odds(predictor, [predictor.tokenizer.encode(text)] * len(rows), label, rows)
        cells = [plain_cell(columns.get(name, nothing)[row]) for name in names]
        weights = (odds[0] - odds[1:]).tolist()
        found.append(tuple(map(ColumnPart, names, cells, weights)))
    return found


def _explain(
    predictor: Predictor, text: str, label: int, most_parts: int | None, columns: Floats32 | None
) -> tuple[Part, ...]:
    tokenizer = predictor.tokenizer
    spans = tokenizer.spans(text)
    read = tokenizer.cut(range(len(spans)))
    runs = _runs([spans[index] for index in read], read, most_parts)
    ids, nothing = tokenizer.encode(text), tokenizer.encode("")
    without = (ids[:first] + ids[stop:] or nothing for first, stop in runs)
    weights = log_odds(predictor, [ids], label, columns) - log_odds(predictor, without, label, columns)
    return tuple(
        Part(spans[read[first]][0], spans[read[stop - 1]][1], weight)
        for (first, stop), weight in zip(runs, weights.tolist(), strict=True)
    )


def log_odds(
    predictor: Predictor, sequences: Iterable[list[int]], label: int, columns: Floats32 | None = None
) -> npt.NDArray[np.float64]:
    """The log-odds of one label, by its index, against all others, of each encoded text: `[texts]`.

    Of ordered labels it is the expected value, and of numbers the number, whatever the label. `columns` are the numbers
    of other columns, of each text, or the same for all, `[1, width]`.
    """
    odds, rest = [np.empty(0)], iter(sequences)
    while first := next(rest, None):
        window = [first, *islice(rest, TOKENS_AT_ONCE // len(first))]
        beside = columns
        if columns is not None and len(columns) == 1:
            beside = np.repeat(columns, len(window), axis=0)
        logits = predictor.logits(window, beside).astype(np.float64)
        if predictor.number:
            odds.append(predictor.calibration.probabilities(logits)[:, 0])
        elif predictor.ordered:
            odds.append(expected_values(predictor.labels, predictor.calibration.probabilities(logits)))
        elif predictor.several:
            odds.append(logits[:, label])
        elif logits.shape[1] == 1:
            odds.append(logits[:, 0] if label else -logits[:, 0])
        else:
            odds.append(logits[:, label] - np.logaddexp.reduce(np.delete(logits, label, axis=1), axis=1))
    return np.concatenate(odds)


def _runs(spans: Sequence[Span], indices: Sequence[int], most: int | None) -> list[TokenRange]:
    """The tokens of each part; `spans` and `indices` (among all the text's tokens) are of the tokens that are read."""
    gap = next((token for token in range(1, len(indices)) if indices[token] > indices[token - 1] + 1), None)
    begins = [token for token in range(len(spans)) if token in (0, gap) or spans[token][0] >= spans[token - 1][1]]
    if most is not None and len(begins) > most:
        begins = [begins[part * len(begins) // most] for part in range(most)]
        if gap is not None and gap not in begins:  # move the nearest start there: no part may span unread text
            nearest = min(begins[1:], key=lambda begin: abs(begin - gap), default=None)
            begins = sorted({*begins, gap} - {nearest})
    return list(pairwise([*begins, len(spans)]))
