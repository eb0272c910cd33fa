"""A predictor held against labelled texts."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_cli.bundle import CONFIG, Bundle
from rnn_cli.config import Config
from rnn_cli.data.further import NoSuchColumn, further_column
from rnn_cli.data.reading.remote import STANDARD_INPUT, shown
from rnn_cli.data.reading.request import READING_KEYS
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import load
from rnn_cli.data.splits import load_splits
from rnn_cli.errors import ConfigError, DataError, few_of
from rnn_cli.evaluation.answers import Answers
from rnn_cli.evaluation.losses import log_losses
from rnn_cli.evaluation.metrics import Figures, Sure, measure
from rnn_cli.evaluation.slices import Slice, by_length, by_values
from rnn_cli.loading import stored_config
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.predictor import Predictor, Scores
from rnn_cli.scoring.reading import Reading, read

LENGTH = "length"
"""What slices by the texts' length, unless a column is called so."""


@dataclass(frozen=True)
class Evaluation:
    """What was answered to labelled texts, and how good that is.

    `answers` are indices into the labels, `[rows]`, as `decision` chose them; those the model is unsure of are among
    them, and the figures are of all. `reading` tells how much of the texts was read.
    """

    dataset: Dataset
    scores: Scores
    decision: Decision
    answers: npt.NDArray[np.intp]
    figures: Figures
    reading: Reading

    @property
    def truth(self) -> npt.NDArray[np.intp]:
        """The true labels as indices into the labels, `[rows]`."""
        return true_labels(self.dataset, self.figures.labels)

    @property
    def sure(self) -> Sure | None:
        """The answers that are not unsure; None for a model that never is."""
        if not self.decision.unsure_below:
            return None
        kept = ~self.decision.unsure(self.scores.probabilities)
        return Sure.of(int((self.truth == self.answers)[kept].sum()), int(kept.sum()), len(kept))

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain values, with the decision they follow from."""
        sure = self.sure
        return {
            **self.figures.to_dict(),
            "decision": asdict(self.decision),
            **({} if sure is None else {"sure": asdict(sure)}),
        }


def evaluate(predictor: Predictor, dataset: Dataset) -> Evaluation:
    """Score labelled texts and measure the answers; raises `DataError` for a label the model does not know."""
    truth = true_labels(dataset, predictor.labels)
    encoded, reading = read(predictor.tokenizer, dataset.texts)
    scores, decision = predictor.score_encoded(encoded), predictor.decision
    answers = decision.choose(scores.probabilities)
    figures = measure(predictor.labels, truth, scores.probabilities, answers)
    return Evaluation(dataset, scores, decision, answers, figures, reading)


def true_labels(dataset: Dataset, labels: Sequence[str]) -> npt.NDArray[np.intp]:
    """The rows' labels as indices into `labels`, `[rows]`; raises `DataError` for one that is not among them."""
    places = {label: place for place, label in enumerate(labels)}
    for line, label in zip(dataset.lines, dataset.labels, strict=True):
        if label not in places:
            raise DataError(
                f"label {label!r} is none of the model's ({few_of(labels)})",
                where=f"{dataset.name}:{line}",
                mend="correct it, or train on data that has it",
            )
    return np.array([places[label] for label in dataset.labels], np.intp)


def answers_of(name: str, evaluation: Evaluation) -> Answers:
    """The answers of the model called `name` to all rows of an evaluation, which are told by their lines."""
    return Answers(
        name=name,
        keys={"id": [str(line) for line in evaluation.dataset.lines], "text": evaluation.dataset.texts},
        labels=evaluation.dataset.labels,
        predictions=[evaluation.figures.labels[answer] for answer in evaluation.answers],
        log_losses=log_losses(evaluation.truth, evaluation.scores.probabilities),
    )


def kept_test_rows(opened: Bundle) -> Dataset:
    """The rows that a run kept for its test; raises `DataError` if its data is no longer the same."""
    config = run_config(opened)
    try:
        splits = load_splits(config.data)
    except DataError as error:
        was_piped = (error.where or "").startswith(shown(STANDARD_INPUT))
        raise DataError(
            f"the rows the model was trained on cannot be read again ({error.what})",
            where=error.where,
            mend=("pipe the same rows in again" if was_piped else "restore the file")
            + ", or name other labelled rows with --data FILE",
        ) from None
    if splits.fingerprint != opened.manifest.data.get("fingerprint"):
        raise DataError(
            "the rows have changed since the model was trained, so its test rows can't be told from training rows",
            where=shown(config.data.source),
            mend="restore the file, or name labelled rows the model has not seen with --data FILE",
        )
    if not len(splits.test):
        raise DataError("the run kept no test rows (data.test: 0)", where=str(opened.path), mend="use --data FILE")
    return splits.test


def labelled_rows(opened: Bundle, source: str, overrides: Sequence[str] = ()) -> Dataset:
    """Labelled rows of a file or a built-in set, read as the training rows were but for the overrides.

    Overrides are those of `parse_config`, for the keys that tell how to read: "data.text_column=review".
    """
    known = [f"data.{key}" for key in READING_KEYS]
    for override in overrides:
        if override.partition("=")[0].strip() not in known:
            raise ConfigError([f"--set {override}: has no effect here; use one of {', '.join(known)}"])
    return load(source, run_config(opened, overrides).data)


def slicer(
    opened: Bundle, dataset: Dataset, by: str, overrides: Sequence[str] = ()
) -> Callable[[Evaluation], list[Slice]]:
    """What cuts an evaluation of the dataset into slices by a column of its file, or by length where it has none such.

    The lengths are those of the whole texts, in tokens. Overrides are those of `labelled_rows`. Raises DataError for
    a column that there is not.
    """
    try:
        values = further_column(dataset, by, run_config(opened, overrides).data)
    except NoSuchColumn as error:
        if by != LENGTH:
            mend = f"{error.mend + ' ' if error.mend else ''}--by {LENGTH} is always there"
            raise NoSuchColumn(error.what, where=error.where, mend=mend) from None
        return lambda found: by_length(found.truth, found.scores.probabilities, found.answers, found.reading.lengths)
    return lambda found: by_values(found.truth, found.scores.probabilities, found.answers, values)


def run_config(opened: Bundle, overrides: Sequence[str] = ()) -> Config:
    """The config a run was trained by, with overrides; raises `ConfigError` for one that is wrong."""
    return stored_config(opened.read(CONFIG), str(opened.path / CONFIG), overrides)
