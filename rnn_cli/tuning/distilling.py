"""The best models of a search as one teacher: what they say together of the training rows, for one network to learn.

Source: Hinton, Vinyals and Dean (2015), Distilling the knowledge in a neural network.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rnn_cli.arrays import Floats32
from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.config.schema import Config
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.training.encoding import with_lessons
from rnn_cli.training.prepare import Prepared
from rnn_cli.training.teacher import SUREST

LEAST_PROBABILITY = 1e-4


def cannot_distil(config: Config) -> str | None:
    """Why a search around this config cannot end with a distilled network, None if it can."""
    if config.data.labels != "single":
        return f"teaches one label a text, and data.labels is {config.data.labels}"
    if config.training.folds is not None:
        return "is measured on validation rows, and the config measures by folds"
    if config.training.teacher is not None:
        return "and training.teacher exclude each other"
    return None


def taught_by(run: Prepared, teachers: Sequence[Bundle]) -> Prepared:
    """The run of a network that learns what the teachers say of its training rows, instead of their labels."""
    lessons = lessons_of([Predictor(each) for each in teachers], run)
    # As texts without labels, for a row that has one is learned by its label.
    to_learn = replace(with_lessons(run.train, [], lessons), labelled=0, columns=run.train.columns)
    return replace(run, to_learn=to_learn)


def lessons_of(teachers: Sequence[Predictor], run: Prepared) -> Floats32:
    """The mean of the teachers' logarithms of probabilities for the rows to learn, `[rows, labels]`, centred."""
    rows = run.learned_rows
    found = [
        np.log(np.maximum(each.score(rows.texts, rows.further).probabilities, LEAST_PROBABILITY)) for each in teachers
    ]
    mean = np.mean(found, axis=0)
    lessons: Floats32 = np.clip(mean - mean.mean(axis=1, keepdims=True), -SUREST, SUREST).astype(np.float32)
    return lessons
