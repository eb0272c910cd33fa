"""The prediction of each prefix is the model's own, and what is not read is told."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.config.schema import Config
from rnn_cli.inspection import reading
from rnn_cli.inspection.reading import Growth, States, read_growing
from rnn_cli.scoring.predictor import Predictor
from tests.conftest import BuiltOnce, Silent

TEXT = "it was a warm film and dull zzz"


def growth(model: Path, text: str) -> Growth:
    return read_growing(Bundle.open(model), text)


def test_each_prefix_is_what_predict_says_of_it(trained: Path) -> None:
    found, predictor, words = growth(trained, TEXT), Predictor.open(trained), TEXT.split()
    assert [token.text for token in found.tokens] == words
    wanted = [predictor.predict(" ".join(words[: place + 1]))[0] for place in range(len(words))]
    np.testing.assert_allclose(found.probabilities, [each.probabilities for each in wanted], atol=1e-6)
    assert [predictor.labels[each] for each in found.choices] == [each.label for each in wanted]
    assert tuple(found.probabilities[-1]) == wanted[-1].probabilities, "to the last bit"
    assert abs(np.diff(found.probabilities[:, 1])).max() > 0.1, "or it would show nothing"


def test_what_is_cut_away_is_neither_read_nor_lost(trained: Path) -> None:
    found = growth(trained, "film " * 20 + "warm")
    assert len(found.tokens) == len(found.probabilities) == 12 and len(found.reading.tokens) == 21
    assert tuple(found.probabilities[-1]) == Predictor.open(trained).predict("film " * 20 + "warm")[0].probabilities


@pytest.mark.parametrize(("text", "known"), [("", False), ("zzz", False), ("warm", True)])
def test_one_token_or_none_is_one_prefix(trained: Path, text: str, known: bool) -> None:
    found = growth(trained, text)
    assert (len(found.tokens), len(found.probabilities), found.known) == (1, 1, known)
    assert tuple(found.probabilities[0]) == Predictor.open(trained).predict(text)[0].probabilities


def test_of_a_very_long_text_some_prefixes_are_scored(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = growth(trained, TEXT)
    monkeypatch.setattr(reading, "MAX_PREFIXES", 3)
    found = growth(trained, TEXT)
    assert found.lengths.tolist() == [2, 5, 8]
    np.testing.assert_allclose(found.probabilities, whole.probabilities[found.lengths - 1], atol=1e-6)
    assert sorted(found.at) == [1, 4, 7]


def test_the_forward_states_of_a_prefix_are_those_of_the_text_and_the_backward_ones_are_not(trained: Path) -> None:
    whole, part = growth(trained, "warm film and dull"), growth(trained, "warm film")
    (forward, backward), (early, late) = whole.states, part.states
    assert (forward.backward, backward.backward) == (False, True)
    np.testing.assert_allclose(forward.values[:2], early.values, atol=1e-6)
    assert abs(backward.values[:2] - late.values).max() > 1e-3


def test_units_are_those_that_move_most_by_their_last_state() -> None:
    values = np.array([[0.0, 0.5, -0.9, 0.1], [0.0, 0.5, 0.9, 0.2], [0.0, 0.5, -0.9, 0.3]], np.float32)
    assert States(1, False, values).most_moved(3).tolist() == [1, 3, 2]
    assert States(1, False, values).most_moved(2).tolist() == [1, 2]
    # Read from the end, the last state is that of the first token.
    assert States(1, True, values[::-1].copy()).most_moved(3).tolist() == [1, 3, 2]


NETWORKS: dict[str, dict[str, Any]] = {
    "gru": {"model": {"cell": "gru", "pooling": "last", "ngrams": 2, "ngram_buckets": 50, "units": [5, 3]}},
    "rnn": {"model": {"cell": "rnn", "bidirectional": False, "input": "one_hot"}, "tokenizer": {"truncate": "both"}},
    "char": {"tokenizer": {"level": "char", "truncate": "tail"}, "decision": {"abstain": 0.4}},
    "subword": {"tokenizer": {"level": "subword", "vocab_size": 120}, "model": {"pooling": "max_mean"}},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_and_tokenizer_has_a_reading(
    name: str, built_once: BuiltOnce, make_labelled_file: Any, tiny: dict[str, dict[str, Any]]
) -> None:
    labels = ["good", "bad", "so-so"] if name in ("gru", "subword") else ["good", "bad"]
    model = built_once(f"reading-{name}", lambda home: trained_as(name, home, make_labelled_file(labels, 60), tiny))
    predictor = Predictor.open(model / "model")
    text = "it was a warm film and a dull plot of the whole evening an story"
    found, (wanted,) = growth(model / "model", text), predictor.predict([text])
    assert tuple(found.probabilities[-1]) == wanted.probabilities
    assert (predictor.labels[found.choices[-1]], bool(found.unsure[-1])) == (wanted.label, wanted.unsure)
    assert found.label == (1 if len(labels) == 2 else predictor.labels.index(wanted.label))
    assert {each.values.shape[0] for each in found.states} == {len(found.tokens)}
    network = predictor.architecture
    assert [(each.layer, each.backward, each.values.shape[1]) for each in found.states] == [
        (layer, backward, units)
        for layer, units in enumerate(network.units, start=1)
        for backward in ([False, True] if network.bidirectional else [False])
    ]
    assert found.gap == (6 if name == "rnn" else None)


def trained_as(name: str, home: Path, file: Path, tiny: dict[str, dict[str, Any]]) -> None:
    from rnn_cli.training.prepare import prepare
    from rnn_cli.training.run import train_prepared

    keys = {**tiny, "data": {"source": str(file), "validation": 0.2, "test": 0.0}}
    for section, values in NETWORKS[name].items():
        keys[section] = {**keys.get(section, {}), **values}
    keys["training"] = {**keys["training"], "epochs": 1, "baseline": False}
    before = Path.cwd()
    os.chdir(home)  # a run writes runs/latest where it stands
    try:
        config = Config.model_validate(keys)
        train_prepared(prepare(config, Silent()), out=home / "model", name="tiny", force=False, listener=Silent())
    finally:
        os.chdir(before)
