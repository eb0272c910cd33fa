"""Which words speak for and against a prediction, measured by leaving them out.

A part's weight is the difference that it makes: the predicted label's log-odds with it, minus those without it (Li,
Monroe and Jurafsky 2016, Understanding Neural Networks through Representation Erasure; for images Zeiler and Fergus
2014, Visualizing and Understanding Convolutional Networks). It runs the graph that predicted, so it works for every
network and for the n-grams beside it, and needs no gradients.
"""

from collections.abc import Iterable, Sequence
from itertools import islice, pairwise

import numpy as np
import numpy.typing as npt

from rnn_cli.scoring.ordered import expected_values
from rnn_cli.scoring.prediction import Part
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.splitting import Span

TOKENS_AT_ONCE = 1 << 20
"""About how many tokens of texts without a part are in memory at once."""

TokenRange = tuple[int, int]
"""Neighbouring tokens among those that are read: ids[first:stop]."""


def explain_texts(
    predictor: Predictor, texts: Sequence[str], predicted: Sequence[int] | None = None, *, most_parts: int | None = None
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
    left is scored as an empty one.

    Raises `ValueError` for `most_parts` below 1.
    """
    if most_parts is not None and most_parts < 1:
        raise ValueError(f"most_parts: expected at least 1, got {most_parts}")
    if predicted is None and predictor.number:
        predicted = [0] * len(texts)
    if predicted is None:
        predicted = predictor.likeliest(predictor.score(texts).probabilities).tolist()
    return [_explain(predictor, text, label, most_parts) for text, label in zip(texts, predicted, strict=True)]


def _explain(predictor: Predictor, text: str, label: int, most_parts: int | None) -> tuple[Part, ...]:
    tokenizer = predictor.tokenizer
    spans = tokenizer.spans(text)
    read = tokenizer.cut(range(len(spans)))
    runs = _runs([spans[index] for index in read], read, most_parts)
    ids, nothing = tokenizer.encode(text), tokenizer.encode("")
    without = (ids[:first] + ids[stop:] or nothing for first, stop in runs)
    weights = log_odds(predictor, [ids], label) - log_odds(predictor, without, label)
    return tuple(
        Part(spans[read[first]][0], spans[read[stop - 1]][1], weight)
        for (first, stop), weight in zip(runs, weights.tolist(), strict=True)
    )


def log_odds(predictor: Predictor, sequences: Iterable[list[int]], label: int) -> npt.NDArray[np.float64]:
    """The log-odds of one label, by its index, against all others, of each encoded text: `[texts]`.

    Of ordered labels it is the expected value, and of numbers the number, whatever the label.
    """
    odds, rest = [np.empty(0)], iter(sequences)
    while first := next(rest, None):
        window = [first, *islice(rest, TOKENS_AT_ONCE // len(first))]
        logits = predictor.logits(window).astype(np.float64)
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
