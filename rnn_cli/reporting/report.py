"""What a report tells, gathered from a model's folder and its answers to labelled rows. Draws and writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnn_cli.bundle.history import EpochMetrics, best_epoch, read_history
from rnn_cli.bundle.model_folder import CONFIG, Bundle, Manifest
from rnn_cli.config.load import stored_config
from rnn_cli.config.schema import Config
from rnn_cli.evaluation.evaluate import Evaluation, Slice, by_length
from rnn_cli.scoring.explain import Part, explain
from rnn_cli.scoring.parts import check_config
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
    predicted, rows = evaluation.predicted, evaluation.dataset
    sure = evaluation.scores.probabilities[np.arange(len(predicted)), predicted]
    wrong = np.flatnonzero(predicted != truth)
    chosen = wrong[np.argsort(-sure[wrong], kind="stable")][:most].tolist()
    short = [row for row in chosen if len(rows.texts[row]) <= MOST_CHARACTERS]
    by_row = dict(zip(short, _explained(predictor, evaluation, short), strict=True))
    return tuple(
        Mistake(
            text=rows.texts[row],
            line=rows.lines[row],
            truth=rows.labels[row],
            answer=predictor.labels[predicted[row]],
            probability=float(sure[row]),
            parts=by_row.get(row, ()),
        )
        for row in chosen
    )


def _explained(predictor: Predictor, evaluation: Evaluation, chosen: list[int]) -> list[tuple[Part, ...]]:
    texts = [evaluation.dataset.texts[row] for row in chosen]
    tokens = sum(map(len, predictor.tokenizer.encode_all(texts)))
    most_parts = min(MOST_PARTS, max(FEWEST_PARTS, MOST_TOKENS // max(tokens, 1)))
    return explain(predictor, texts, evaluation.predicted[chosen].tolist(), most_parts=most_parts)


@dataclass(frozen=True)
class Report:
    """Everything that is told of a model and its answers to some labelled rows.

    `side` says which of the run's own rows, `test` or `validation`; None for others. `truth` is the true labels'
    indices, `[rows]`.
    `slices` are by the texts' length; `frequent` are the vocabulary's first tokens, which show what language it is of.
    """

    manifest: Manifest
    config: Config
    config_text: str
    history: tuple[EpochMetrics, ...]
    best_epoch: int
    side: str | None
    evaluation: Evaluation
    truth: npt.NDArray[np.intp]
    slices: Sequence[Slice]
    mistakes: tuple[Mistake, ...]
    frequent: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the network's classes; of two, the second is the positive one."""
        return self.manifest.labels


def gather(
    opened: Bundle,
    predictor: Predictor,
    evaluation: Evaluation,
    side: str | None,
) -> Report:
    """Gather a report on a model and what it answered; raises `BundleError` where its folder is damaged."""
    stored = opened.read(CONFIG)
    config = stored_config(stored, str(opened.path / CONFIG))
    check_config(opened, config, predictor.tokenizer, predictor.architecture)
    history = read_history(opened)
    truth = evaluation.truth
    return Report(
        manifest=opened.manifest,
        config=config,
        config_text=stored.decode("utf-8"),
        history=history,
        best_epoch=best_epoch(history, config.training).epoch,
        side=side,
        evaluation=evaluation,
        truth=truth,
        slices=by_length(truth, evaluation.scores.probabilities, evaluation.predicted, evaluation.reading.lengths),
        mistakes=worst_mistakes(predictor, evaluation, truth),
        frequent=predictor.tokenizer.vocab[2:17],
    )
