"""The base of a classifier with few labels: a trained model that its tokenizer and network are taken from.

Loads no TensorFlow.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from rnn_cli.arrays import Floats, Floats32
from rnn_cli.bundle.learned import learned_texts
from rnn_cli.bundle.locate import named_folder, shown_model
from rnn_cli.bundle.model_folder import COLUMNS_FILE, CONFIG, ONNX_MODEL, Bundle
from rnn_cli.config.load import stored_config
from rnn_cli.config.schema import Config, TrainingConfig
from rnn_cli.copies.learned import UNKNOWN_TEXTS, LearnedTexts
from rnn_cli.errors import BundleError
from rnn_cli.graph import Graph, last_layers
from rnn_cli.linear.neighbours import count_neighbours
from rnn_cli.scoring.parts import check_config, read_fitting_graph, read_tokenizer
from rnn_cli.text.tokenizer import Tokenizer
from rnn_cli.text.tokenizer_json import UNKNOWN
from rnn_cli.transfer.features import read_features

NEW_WORD_TEXTS = 2
"""A new word is worth an id if so many texts hold it."""

MOST_NEW_WORDS = 0.25
"""New words take at most this share of the base's vocabulary."""

OWN_NGRAMS = 2
"""The longest n-gram of a new model whose base has none."""

_PLAIN = TrainingConfig()
EPOCHLESS = {"epochs": 1} | {
    key: getattr(_PLAIN, key)
    for key in (
        *("batch_size", "optimizer", "learning_rate", "schedule", "clip_norm", "weight_decay", "label_smoothing"),
        "early_stopping",
    )
}
"""Values of the keys of `training` that say how epochs are trained, where there are none."""


@dataclass(frozen=True)
class Base:
    """A trained model that a new one begins with.

    `file` holds the bytes of its graph, of which `graph` is a view. `new_ids` are of words that `for_texts` added.
    """

    path: Path
    bundle: Bundle
    config: Config
    tokenizer: Tokenizer
    labels: tuple[str, ...]
    file: bytearray
    graph: Graph
    new_ids: tuple[int, ...] = ()

    @classmethod
    def open(cls, named: str) -> "Base":
        """Open the model of this name, "general" or a folder; raises `BundleError`."""
        path = named_folder(named)
        opened = Bundle.open(path)
        if opened.manifest.several:
            what = "its texts have several labels each, so its answers are no part of a model of one label a text"
            raise BundleError(what, where=shown_model(path), hint="name a model of one label a text as model.base")
        if opened.manifest.ordered:
            what = "its labels have an order, so its answers are no part of a model of labels without"
            raise BundleError(what, where=shown_model(path), hint="name a model of other labels as model.base")
        if opened.manifest.number:
            what = "predicts numbers, so its answers are no part of a model of labels"
            raise BundleError(what, where=shown_model(path), hint="name a model of labels as model.base")
        if COLUMNS_FILE in opened.manifest.files:
            what = "reads other columns beside the text, which a base does not take"
            raise BundleError(what, where=shown_model(path), hint="name a model of texts alone as model.base")
        config = stored_config(opened.read(CONFIG), str(path / CONFIG))
        tokenizer, labels, file = read_tokenizer(opened), opened.manifest.labels, bytearray(opened.read(ONNX_MODEL))
        graph = read_fitting_graph(file, str(path / ONNX_MODEL), tokenizer, opened.manifest.outputs)
        check_config(opened, config, tokenizer, graph.architecture)
        if graph.architecture.is_linear:
            what = "is a linear model, of which nothing but its n-grams could be built on"
            raise BundleError(what, where=shown_model(path), hint="name a network as model.base")
        if graph.is_int8:
            raise BundleError("computes in 8 bits", where=str(path), hint="name the folder that rnn train wrote")
        return cls(path, opened, config, tokenizer, labels, file, graph)

    @property
    def name(self) -> str:
        """The model as a user knows it."""
        return shown_model(self.path)

    @property
    def learned(self) -> LearnedTexts:
        """The texts that it learned from."""
        return learned_texts(self.bundle) or UNKNOWN_TEXTS

    def to_dict(self) -> dict[str, Any]:
        """Its entry in the manifest of the new bundle."""
        return {"model": shown_model(self.path.resolve()), "sha256": self.bundle.manifest.files[ONNX_MODEL]["sha256"]}

    def applied(self, config: Config) -> tuple[Config, list[str]]:
        """The config with this base's tokenizer and network, and the keys of the config that do not count then.

        Where the base has no n-grams, the new model gets its own.
        """
        ours, given = self.config.model, config.model
        model = ours.model_copy(update={"base": given.base, "embeddings": None, "char_ngrams": 0})
        if not ours.ngrams:
            own = {"ngrams": given.ngrams or OWN_NGRAMS, "ngram_buckets": given.ngram_buckets}
            model = model.model_copy(update=own)
        training = config.training.model_copy(update=EPOCHLESS)
        applied = config.model_copy(update={"tokenizer": self.config.tokenizer, "model": model, "training": training})
        plain, before, after = (each.to_dict() for each in (Config(), config, applied))
        return applied, [
            f"{section}.{key}"
            for section in ("tokenizer", "model", "training")
            for key, value in before[section].items()
            if value not in (plain[section][key], after[section][key])
        ]

    def for_texts(self, texts: Sequence[str]) -> "Base":
        """This base with ids for the words that two or more of the texts hold and it does not know.

        They replace its rarest words, of those that no text holds. Their vectors are the means of their neighbours'
        vectors, near ones weighted more, frequent ones less. Only a base of words learns new ones.
        """
        vectors = self.graph.vectors
        if self.tokenizer.level != "word" or vectors is None:
            return self
        holding = Counter(chain.from_iterable(set(self.tokenizer.tokens(text)) for text in texts))
        reserved = {self.tokenizer.oov_token, self.tokenizer.oov_token.lower()}
        known = self.tokenizer.id_of
        new = [
            word
            for word, times in holding.most_common()
            if times >= NEW_WORD_TEXTS and known(word) == UNKNOWN and word not in reserved
        ]
        used, size = {known(word) for word in holding}, self.tokenizer.vocab_size
        free = [each for each in range(size - 1, UNKNOWN, -1) if each not in used]
        placed = dict(zip(new[: int(MOST_NEW_WORDS * size)], free, strict=False))
        if not placed:
            return self
        vocab = list(self.tokenizer.vocab)
        for word, place in placed.items():
            vocab[place] = word
        tokenizer, file = replace(self.tokenizer, vocab=tuple(vocab)), bytearray(self.file)
        graph = read_fitting_graph(file, str(self.path / ONNX_MODEL), tokenizer, self.bundle.manifest.outputs)
        (name,) = [each for each in graph.tensors if each.startswith("embedding")]
        ids = sorted(placed.values())
        graph.tensors[name][ids] = _by_neighbours(map(tokenizer.encode_whole, texts), ids, vectors)
        for table in (each for each in graph.tensors if each.startswith("ngrams")):
            graph.tensors[table][ids] = 0
        return replace(self, file=file, tokenizer=tokenizer, graph=graph, new_ids=tuple(ids))

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """The number of each kind of `features`."""
        labels, model = len(self.labels), self.config.model
        return (
            int(self.graph.tensors[last_layers(self.graph)[0].inputs[1]].shape[0]),
            labels,
            labels if model.ngrams else 0,
            self.graph.architecture.width,
        )

    def features(
        self,
        sequences: Sequence[Sequence[int]],
        counts: sparse.csr_matrix,
        on_read: Callable[[int, int], None] = lambda *_: None,
    ) -> Floats:
        """All that its prediction for encoded texts, each of at least one id, is linear in: `[texts, features]`.

        They are the inputs of its last layer; the logits of its network, one for each label, with a zero for the first
        of two; its n-grams' logits, if it has any; and the sum of the vectors of a text's tokens, weighted by `counts`,
        a text's n-grams `[texts, n-grams]`. `on_read` is called with how many texts are done.
        """
        parts = [
            part.astype(np.float64)
            for part in read_features(self.file, self.graph, str(self.path / ONNX_MODEL), sequences, on_read)
        ]
        if (vectors := self.graph.vectors) is not None:
            parts.append(counts[:, : len(vectors)] @ vectors.astype(np.float64))
        return np.hstack(parts)

    def answer(self, labels: Sequence[str]) -> Floats | None:
        """The matrix `[features, labels]` of what it says itself of some of its labels; None unless it knows all."""
        if not set(labels) <= set(self.labels):
            return None
        pooled, network, ngrams, vectors = self.sizes
        own = np.eye(len(self.labels))[:, [self.labels.index(label) for label in labels]]
        parts = 2 if ngrams else 1  # it averages them
        own /= parts * self.bundle.manifest.temperature
        return np.vstack([np.zeros((pooled, len(labels))), *[own] * parts, np.zeros((vectors, len(labels)))])


def _by_neighbours(sequences: Iterable[Sequence[int]], placed: Sequence[int], vectors: Floats32) -> Floats32:
    """The mean vector of the neighbours of each of the ids `placed`, `[placed, dim]`; zeros for one without any."""
    near = count_neighbours(sequences, len(vectors))
    frequency = np.asarray(near.sum(axis=0)).ravel()
    rarity = np.log1p(frequency.sum() / np.maximum(frequency, 1))
    rarity[list(placed)] = 0  # they have no vector yet
    weights = near[list(placed)].multiply(rarity).tocsr()
    sums = np.asarray(weights.sum(axis=1))
    return np.asarray((weights @ vectors) / np.maximum(sums, 1e-9), np.float32)
