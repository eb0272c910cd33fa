"""The interval of the accuracy holds it as often as it says, though the model chose most of the texts itself."""

import random
from pathlib import Path

import numpy as np
import pytest

from rnn_cli.labelling.answers import hold_log
from rnn_cli.labelling.learner import Beside
from rnn_cli.labelling.session import Session
from rnn_cli.labelling.texts import join_copies
from rnn_cli.labelling.vectors import TextVectors
from tests.labelling.conftest import made

WRONG = 0.2
"""The share of labels that words do not tell, so that no model is right everywhere."""


def sitting(folder: Path, seed: int) -> bool:
    """Whether after 100 answers the interval holds the accuracy of the same model on 2,000 other texts."""
    chance, names = random.Random(seed), ["bad", "good"]
    rows = [(text, label if chance.random() > WRONG else chance.choice(names)) for text, label in made(2_600, seed)]
    texts = join_copies("made", [text for text, _ in rows[:600]])
    vectors = TextVectors.of([texts.rows[row] for row in texts.pool], None)
    with hold_log(folder / f"{seed}.jsonl", "made", 600, texts.fingerprint, names) as log:
        session = Session(texts, log, vectors, {})
        for _ in range(100):
            assert session.current is not None
            session.label(rows[session.current.row][1])
        session.learner.wait()
        told, opinion = session.standing().accuracy, session.learner.latest
        session.close()
    assert told is not None and opinion is not None and told.rows == 10
    ngrams, dense = vectors.more([text for text, _ in rows[600:]])
    predicted = opinion.model.probabilities(Beside(dense, ngrams)).argmax(axis=1)
    accuracy = np.mean([opinion.labels[at] == label for at, (_, label) in zip(predicted, rows[600:], strict=True)])
    return bool(told.low <= accuracy <= told.high)


@pytest.mark.slow
def test_the_interval_holds_the_accuracy_in_most_sittings(tmp_path: Path) -> None:
    held = np.mean([sitting(tmp_path, seed) for seed in range(100)])
    assert 0.89 <= held <= 1.0  # 95 %, less two and a half standard errors of 100 sittings
