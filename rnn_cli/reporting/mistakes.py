"""The worst mistakes: wrong answers that were given most confidently, and which words spoke for them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnn_cli.evaluation.evaluate import Evaluation
from rnn_cli.scoring.explain import Part, explain
from rnn_cli.scoring.predictor import Predictor

MOST = 50

MOST_PARTS, FEWEST_PARTS = 40, 8
"""Parts that a text is explained by: each costs one more scoring of it."""

MOST_TOKENS = 2_000_000
"""Tokens that are scored for all explanations together, about: of longer texts the parts are fewer."""

MOST_CHARACTERS = 20_000
"""A longer text is not explained: finding its tokens' places would take longer than all else."""


@dataclass(frozen=True)
class Mistake:
    """A text that was answered wrongly, and the answer's probability.

    `line` is that of the file, `truth` and `answer` are labels. `parts` tell what spoke for the answer (weight above 0)
    and against it; there are none where the text was too long to explain.
    """

    text: str
    line: int
    truth: str
    answer: str
    probability: float
    parts: tuple[Part, ...]


def worst_mistakes(
    predictor: Predictor, evaluation: Evaluation, truth: npt.NDArray[np.intp], most: int = MOST
) -> tuple[Mistake, ...]:
    """At most so many wrong answers, the most confident first; `truth` is the true labels' indices, `[rows]`."""
    answers, rows = evaluation.answers, evaluation.dataset
    sure = evaluation.scores.probabilities[np.arange(len(answers)), answers]
    wrong = np.flatnonzero(answers != truth)
    chosen = wrong[np.argsort(-sure[wrong], kind="stable")][:most].tolist()
    short = [row for row in chosen if len(rows.texts[row]) <= MOST_CHARACTERS]
    by_row = dict(zip(short, _explained(predictor, evaluation, short), strict=True))
    return tuple(
        Mistake(
            text=rows.texts[row],
            line=rows.lines[row],
            truth=rows.labels[row],
            answer=predictor.labels[answers[row]],
            probability=float(sure[row]),
            parts=by_row.get(row, ()),
        )
        for row in chosen
    )


def _explained(predictor: Predictor, evaluation: Evaluation, chosen: list[int]) -> list[tuple[Part, ...]]:
    texts = [evaluation.dataset.texts[row] for row in chosen]
    tokens = sum(map(len, predictor.tokenizer.encode_all(texts)))
    most_parts = min(MOST_PARTS, max(FEWEST_PARTS, MOST_TOKENS // max(tokens, 1)))
    return explain(predictor, texts, evaluation.answers[chosen].tolist(), most_parts=most_parts)
