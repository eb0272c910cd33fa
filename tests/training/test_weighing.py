"""The weights of a network and its n-grams, as the validation rows choose them."""

from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.special import log_softmax

from rnn_cli.config.schema import Config
from rnn_cli.network.build import LOGITS, NGRAM_LOGITS, NGRAMS, build
from rnn_cli.training.prepare import Prepared, prepare
from rnn_cli.training.weighing import weigh
from tests.conftest import Silent


@pytest.fixture(params=[2, 3])
def prepared(request: pytest.FixtureRequest, make_labelled_file: object, listener: Silent) -> Prepared:
    labels = ["good", "bad", "so-so"][: request.param]
    source: Path = make_labelled_file(labels, 120)  # type: ignore[operator]
    return prepare(
        Config.model_validate(
            {
                "data": {"source": str(source), "validation": 0.5, "test": 0},
                "tokenizer": {"vocab_size": 60, "max_length": 12},
                "model": {"embedding_dim": 4, "units": [3], "dense_units": [], "ngrams": 1},
                "training": {"baseline": False},
            }
        ),
        listener,
    )


def network(prepared: Prepared, *, told: bool) -> keras.Model:
    """A network that guesses, whose n-grams tell the label, or tell the opposite."""
    classes = len(prepared.labels)
    model = build(prepared.config.model, vocab_size=prepared.tokenizer.vocab_size, classes=classes, seed=1)
    table = np.zeros(model.get_layer(NGRAMS).get_weights()[0].shape)
    for ids, truth in zip(prepared.train.sequences, prepared.train.classes, strict=True):
        for each in ids:
            if classes == 2:
                table[each] += 2 * truth - 1
            else:
                table[each, truth] += 1
    model.get_layer(NGRAMS).set_weights([table / 10 if told else -table / 10])
    model.get_layer(NGRAM_LOGITS).set_weights([np.eye(table.shape[1]), np.zeros(table.shape[1])])
    return model


def logits(model: keras.Model, prepared: Prepared) -> tuple[np.ndarray, np.ndarray]:
    """The logits of the network and those of the n-grams."""
    inner = keras.Model(model.input, [model.get_layer(name).output for name in (LOGITS, NGRAM_LOGITS)])
    network, ngrams = inner.predict(prepared.validation.ids(np.arange(len(prepared.validation.classes))), verbose=0)
    return network, ngrams


def loss(model: keras.Model, prepared: Prepared) -> float:
    mean = sum(logits(model, prepared)) / 2
    if mean.shape[1] == 1:
        mean = np.hstack([np.zeros_like(mean), mean])
    truth = prepared.validation.classes
    return -float(log_softmax(mean, axis=1)[np.arange(len(truth)), truth].mean())


def test_the_part_that_knows_more_has_more_say(prepared: Prepared) -> None:
    model = network(prepared, told=True)
    before, even = logits(model, prepared), loss(model, prepared)
    weights = weigh(model, prepared)
    assert weights[1] > 0.5 and weights[1] > weights[0]
    for was, now, weight in zip(before, logits(model, prepared), weights, strict=True):
        np.testing.assert_allclose(now, was * weight / 0.5, rtol=1e-4, atol=1e-5)
    assert loss(model, prepared) < even


def test_a_part_that_is_wrong_has_none(prepared: Prepared) -> None:
    assert weigh(network(prepared, told=False), prepared)[1] < 0.05
