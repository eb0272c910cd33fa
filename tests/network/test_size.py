"""How large a network will be is known before it is built: its weights are counted as Keras counts them."""

from typing import Any

import pytest

from rnn_cli.config.schema import ModelConfig
from rnn_cli.errors import ConfigError
from rnn_cli.graph import Architecture
from rnn_cli.network.build import build
from rnn_cli.network.size import (
    LARGEST_MODEL,
    LARGEST_NGRAMS,
    count_weights,
    refuse_too_large,
    with_fitting_ngrams,
)

VOCAB = 23


@pytest.mark.parametrize("classes", [2, 3, 12])
@pytest.mark.parametrize(
    "keys",
    [
        {"dense_units": []},
        {"cell": "gru", "units": [5], "pooling": "max_mean", "dense_units": [7, 3]},
        {"cell": "rnn", "bidirectional": False, "input": "one_hot"},
        {"ngrams": 2, "ngram_buckets": 31, "pooling": "max"},
        {"ngrams": 1, "ngram_buckets": 5, "bidirectional": False, "pooling": "max_mean"},
    ],
)
def test_the_weights_are_those_that_keras_makes(keys: dict[str, Any], classes: int) -> None:
    config = ModelConfig(**{"units": [4, 6], "embedding_dim": 5, "dense_units": [3]} | keys)
    model = build(config, vocab_size=VOCAB, classes=classes, seed=1)
    assert sum(count_weights(config, VOCAB, classes).values()) == model.count_params()


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"cell": "gru", "pooling": "max_mean", "ngrams": 2, "ngram_buckets": 31},
        {"cell": "rnn", "bidirectional": False, "input": "one_hot", "pooling": "mean", "dense_units": []},
    ],
)
def test_each_layer_is_told_as_keras_makes_it(keys: dict[str, Any], classes: int) -> None:
    config = ModelConfig(**{"units": [4, 6], "embedding_dim": 5, "dense_units": [7, 3]} | keys)
    model = build(config, vocab_size=VOCAB, classes=classes, seed=1)
    told = Architecture.of(config, VOCAB, classes).layers
    for layer in told:
        if layer.name not in ("pooling", "one_hot"):  # operations, which have no layer's name
            made = model.get_layer(layer.name)
            assert made.count_params() == layer.weights
            assert made.output.shape == ((None, None, layer.width) if layer.along else (None, layer.width))
    assert {layer.name for layer in model.layers if layer.count_params()} == {
        each.name for each in told if each.weights
    }
    first = next(place for place, layer in enumerate(told) if layer.part == "dense")
    assert model.get_layer(told[first].name).input.shape == (None, told[first - 1].width)


def test_what_no_file_can_hold_is_one_mistake_that_names_the_parts_the_largest_first() -> None:
    config = ModelConfig(embedding_dim=4096, units=[64], dense_units=[])
    refuse_too_large(config, 100_000, 2)
    with pytest.raises(ConfigError, match=r"2\.3 GiB, but a model file holds 1\.9 GiB; .*: token vectors .*vocab_size"):
        refuse_too_large(config, 150_000, 2)
    many = ModelConfig(units=[512], dense_units=[])
    with pytest.raises(ConfigError, match=r"the largest part smaller: dense layers .*the labels\) 2\.\d GiB"):
        refuse_too_large(many, 100, 600_000)
    wide = ModelConfig(units=[12_000], dense_units=[])
    with pytest.raises(ConfigError, match=r"smaller: recurrent layers \(model.units\)"):
        refuse_too_large(wide, 100, 2)


@pytest.mark.parametrize(("classes", "buckets"), [(2, 1 << 20), (8, 1 << 20), (50, 1 << 20), (300, 1 << 18)])
def test_the_recipes_keep_their_buckets_as_long_as_they_fit(classes: int, buckets: int) -> None:
    config = ModelConfig(ngrams=2, ngram_buckets=buckets)
    kept = with_fitting_ngrams(config, 16_000, classes)
    assert (kept == config) == (classes < 300)
    assert 4 * count_weights(kept, 16_000, classes)["n-gram part (model.ngrams, model.ngram_buckets)"] <= LARGEST_NGRAMS


@pytest.mark.parametrize("classes", [300, 500, 1000, 2000])
def test_of_many_labels_as_many_buckets_are_left_as_fit(classes: int) -> None:
    config = ModelConfig(ngrams=2)
    kept = with_fitting_ngrams(config, 16_000, classes)
    part = 4 * sum(count_weights(kept, 16_000, classes).values()) - 4 * sum(
        count_weights(config.model_copy(update={"ngrams": 0}), 16_000, classes).values()
    )
    assert kept.ngrams == 2
    assert LARGEST_NGRAMS - 8 * classes <= part <= LARGEST_NGRAMS < LARGEST_MODEL
    assert with_fitting_ngrams(kept, 16_000, classes) == kept, "once is enough"


def test_where_next_to_no_bucket_would_be_left_there_are_no_ngrams() -> None:
    assert with_fitting_ngrams(ModelConfig(ngrams=2), 40_000, 3_000).ngrams == 0
    assert with_fitting_ngrams(ModelConfig(ngrams=0), 40_000, 3_000) == ModelConfig(ngrams=0)
