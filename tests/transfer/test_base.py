"""What a base computes of texts, what it says itself, and the words it learns."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from rnn_cli.bundle.model_folder import UNFINISHED
from rnn_cli.config.schema import Config
from rnn_cli.errors import BundleError
from rnn_cli.linear.ngrams import ngram_counts
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.tokenizer_json import UNKNOWN
from rnn_cli.transfer.base import Base
from tests.forge import Forged

TEXTS = ["a warm film", "the plot was dull and noisy", "usual", "nothing of it zzz"]


def features(base: Base, texts: list[str]) -> np.ndarray:
    ids, model = base.tokenizer.encode_all(texts), base.config.model
    counts = ngram_counts(
        ids, longest=model.ngrams or 1, vocab_size=base.tokenizer.vocab_size, buckets=model.ngram_buckets
    )
    return base.features(ids, counts)


@pytest.mark.parametrize("labels", [("negative", "neutral", "positive"), ("positive", "negative")])
def test_its_answer_is_what_it_predicts(labels: tuple[str, ...]) -> None:
    base = Base.open("general")
    answer = base.answer(labels)
    assert answer is not None
    model = Predictor.open(base.path).adjusted(calibration=replace(Predictor.open(base.path).calibration, scales=()))
    expected = model.among(labels).predict_proba(TEXTS)
    order = [model.among(labels).labels.index(label) for label in labels]
    np.testing.assert_allclose(softmax(features(base, TEXTS) @ answer, axis=1), expected[:, order], atol=1e-5)


def test_its_answer_for_two_labels_without_ngrams(trained: Path) -> None:
    base = Base.open(str(trained))
    answer = base.answer(["bad", "good"])
    assert answer is not None
    model = Predictor.open(trained)
    model = model.adjusted(calibration=replace(model.calibration, scales=()))
    np.testing.assert_allclose(softmax(features(base, TEXTS) @ answer, axis=1), model.predict_proba(TEXTS), atol=1e-5)


def test_it_has_no_answer_for_a_label_that_it_does_not_know(trained: Path) -> None:
    assert Base.open(str(trained)).answer(["good", "so-so"]) is None


def test_new_words_replace_the_rarest_that_no_text_holds(trained: Path) -> None:
    base = Base.open(str(trained))
    last = base.tokenizer.vocab[-1]
    learned = base.for_texts([f"{last} zebra film", "zebra plot", "once"])
    assert learned.tokenizer.id_of("zebra") == base.tokenizer.vocab_size - 2
    assert learned.tokenizer.id_of("once") == UNKNOWN
    assert learned.tokenizer.id_of(last) == base.tokenizer.id_of(last)
    assert learned.tokenizer.vocab_size == base.tokenizer.vocab_size
    assert learned.new_ids == (base.tokenizer.vocab_size - 2,)
    assert base.tokenizer.id_of("zebra") == UNKNOWN


def test_a_new_word_lies_among_its_neighbours(trained: Path) -> None:
    base = Base.open(str(trained))
    learned = base.for_texts(["zebra film", "zebra film", "plot plot plot plot plot plot"])
    before, after = base.graph.vectors, learned.graph.vectors
    assert before is not None and after is not None
    film, zebra = (learned.tokenizer.id_of(word) for word in ("film", "zebra"))
    np.testing.assert_allclose(after[zebra], before[film], rtol=1e-5)
    others = [each for each in range(len(before)) if each != zebra]
    np.testing.assert_array_equal(after[others], before[others])
    np.testing.assert_array_equal(before, Base.open(str(trained)).graph.vectors)


def test_a_new_word_forgets_the_ngram_weight_of_the_word_it_replaces() -> None:
    learned = Base.open("general").for_texts(["zzyzx is here", "zzyzx is there"])
    (table,) = (each for name, each in learned.graph.tensors.items() if name.startswith("ngrams"))
    assert learned.new_ids and not table[list(learned.new_ids)].any()


def test_the_unknown_token_is_no_new_word(trained: Path) -> None:
    base = Base.open(str(trained))
    named = replace(base, tokenizer=replace(base.tokenizer, oov_token="Zebra"))
    assert base.for_texts(["zebra", "zebra"]).new_ids
    assert named.for_texts(["zebra", "zebra"]).new_ids == ()


def test_a_base_whose_ngrams_learned_from_pieces_of_words_can_be_read_again(trained: Path) -> None:
    base = Base.open(str(trained))
    model = base.config.model.model_copy(update={"ngrams": 2, "char_ngrams": 4})
    applied, _ = replace(base, config=base.config.model_copy(update={"model": model})).applied(
        Config.model_validate({"model": {"base": "b"}})
    )
    assert Config.model_validate(applied.to_dict()).model.char_ngrams == 0


def test_its_layers_and_tokenizer_count_and_the_keys_that_do_not_are_named(trained: Path) -> None:
    base = Base.open(str(trained))
    given = Config.model_validate(
        {"model": {"base": "b", "units": [9], "ngrams": 3}, "training": {"epochs": 7, "class_weight": "balanced"}}
    )
    applied, lost = base.applied(given)
    assert applied.tokenizer == base.config.tokenizer
    assert applied.model == base.config.model.model_copy(update={"base": "b", "ngrams": 3, "ngram_buckets": 1 << 20})
    assert applied.training.class_weight == "balanced"
    assert lost == ["model.units", "training.epochs"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: folder / "none", "no such folder"),
        (lambda folder: Path(f"{folder}{UNFINISHED}"), "not a trained model"),
    ],
)
def test_a_model_that_cannot_be_a_base(spoil: Callable[[Path], Path], says: str, tmp_path: Path) -> None:
    path = spoil(tmp_path / "m")
    if path.name.endswith(UNFINISHED):
        path.mkdir()
    with pytest.raises(BundleError, match=says):
        Base.open(str(path))


def test_a_damaged_base_is_refused(trained: Path, tmp_path: Path) -> None:
    copy = Forged(trained, tmp_path / "copy")
    content = bytearray((copy.path / "model.onnx").read_bytes())
    content[-1] ^= 1
    (copy.path / "model.onnx").write_bytes(content)
    with pytest.raises(BundleError, match=r"model\.onnx"):
        Base.open(str(copy.path))
