"""The queue before the predictor."""

import asyncio

import pytest

from rnn_cli.bundle.locate import GENERAL_FOLDER
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.serving.batcher import Batcher, QueueFull


def test_each_request_gets_the_predictions_of_its_own_texts() -> None:
    predictor = Predictor.open(GENERAL_FOLDER)
    requests = [["A warm, funny film."], ["Dull.", "Two hours I will never get back."], ["Fine."]]

    async def ask() -> list[object]:
        batcher = Batcher(predictor)
        return list(await asyncio.gather(*(batcher.predict(texts) for texts in requests)))

    found = asyncio.run(ask())
    for texts, predictions in zip(requests, found, strict=True):
        alone = predictor.predict(texts)
        assert [p.label for p in predictions] == [p.label for p in alone]  # type: ignore[attr-defined]
        assert [p.probability for p in predictions] == pytest.approx([p.probability for p in alone], abs=1e-6)  # type: ignore[attr-defined]


def test_a_full_queue_refuses() -> None:
    with pytest.raises(QueueFull):
        asyncio.run(Batcher(Predictor.open(GENERAL_FOLDER), queue_texts=1).predict(["a", "b"]))
