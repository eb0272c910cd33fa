"""How a prediction grows as a text is read, and the states of the recurrent layers on the way. Loads no TensorFlow.

The prediction of each prefix is one of the whole model: n-grams, temperature and decision are in it. The states are
those of one reading of the whole text by the very graph that predicts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rnn_cli.arrays import Flags, Floats, Floats32, Indices
from rnn_cli.bundle.model_folder import ONNX_MODEL, Bundle
from rnn_cli.graph import read_graph, with_states
from rnn_cli.inspection.tokens import Reading, Token, read_texts
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.predictor import Predictor, open_session
from rnn_cli.text.tokenizer import Tokenizer
from rnn_cli.text.tokenizer_json import UNKNOWN

MOST_PREFIXES, MOST_TOKENS = 500, 1 << 20
"""Prefixes of a text that are scored, and tokens of them all, about; of a longer text some prefixes are left out."""


@dataclass(frozen=True)
class States:
    """The states of one direction of a recurrent layer, `[tokens, units]`; `layer` 1 is the one above the input.

    A state of the backward direction has read from the text's end to its token, that token included.
    """

    layer: int
    backward: bool
    values: Floats32

    @property
    def direction(self) -> str:
        """In a word."""
        return "backward" if self.backward else "forward"

    def most_moved(self, count: int) -> Indices:
        """The `count` units whose state moves most on its way from zero through the text, by their last state.

        How far a unit moves is the sum of its steps. The unit of the largest last state comes first.
        """
        way = self.values[::-1] if self.backward else self.values
        moved = np.abs(np.diff(way, axis=0, prepend=np.zeros_like(way[:1]))).sum(axis=0)
        chosen = np.argsort(-moved, kind="stable")[:count]
        return np.asarray(chosen[np.argsort(-way[-1, chosen], kind="stable")], np.intp)


@dataclass(frozen=True)
class Growth:
    """A text as a model reads it, what it predicts after each prefix, and its states.

    `tokens` are those that are read; of a text without any the unknown token, as which it is read. `gap` is the first
    of them that stands behind what is cut from the middle, None where nothing is. Prefixes are those of `tokens`, each
    of so many as `lengths` says, the last of all; `probabilities` are `[prefixes, labels]`, `choices` the labels
    predicted, by index, and `unsure` says where the model abstains.
    """

    reading: Reading
    tokens: tuple[Token, ...]
    gap: int | None
    labels: tuple[str, ...]
    decision: Decision
    lengths: Indices
    probabilities: Floats
    choices: Indices
    unsure: Flags
    known: bool
    states: tuple[States, ...]

    @property
    def label(self) -> int:
        """The label whose probability is followed: of two the positive one, else the one predicted in the end."""
        return 1 if len(self.labels) == 2 else int(self.choices[-1])

    @cached_property
    def at(self) -> Mapping[int, int]:
        """The prefix that ends with a token, by the token's place: of a very long text not each has one."""
        return {int(length) - 1: prefix for prefix, length in enumerate(self.lengths)}

    @cached_property
    def scales(self) -> Mapping[int, float]:
        """The largest state of each layer, without its sign, by the layer."""
        largest: dict[int, float] = {}
        for each in self.states:
            largest[each.layer] = max(largest.get(each.layer, 0.0), float(np.abs(each.values).max()))
        return largest

    def to_dict(self, units: int) -> dict[str, Any]:
        """Everything as plain values, of each direction the `units` most moved units."""
        return {
            "text": self.reading.text,
            "label": self.labels[self.label],
            "labels": list(self.labels),
            "threshold": self.decision.threshold if len(self.labels) == 2 else None,
            "no_known_words": not self.known,
            "tokens_in_all": len(self.reading.tokens),
            "tokens": [self._token(index, token) for index, token in enumerate(self.tokens)],
            "states": [
                {
                    "layer": each.layer,
                    "direction": each.direction,
                    "units": (chosen := each.most_moved(units)).tolist(),
                    "values": [[float(f"{value:.6g}") for value in row] for row in each.values[:, chosen].T.tolist()],
                }
                for each in self.states
            ],
        }

    def _token(self, index: int, token: Token) -> dict[str, Any]:
        found: dict[str, Any] = {"token": token.text, "id": token.id, "known": token.known}
        prefix = self.at.get(index)
        if prefix is None:
            return found
        row = self.probabilities[prefix]
        return found | {
            "probability": round(float(row[self.label]), 6),
            "prediction": self.labels[self.choices[prefix]],
            "unsure": bool(self.unsure[prefix]),
            "probabilities": [round(float(each), 6) for each in row],
        }


def read_growing(opened: Bundle, text: str) -> Growth:
    """Read a text with a bundle; raises `BundleError` where it is damaged or foreign."""
    predictor = Predictor(opened)
    (reading,) = read_texts(predictor.tokenizer, [text])
    ids = list(reading.ids)
    lengths = _lengths(len(ids))
    # The whole text is scored alone, as rnn predict does: beside others its last digits might differ.
    earlier, last = predictor.score_encoded([ids[:length] for length in lengths[:-1]]), predictor.score_encoded([ids])
    probabilities = np.concatenate([earlier.probabilities, last.probabilities])
    kept = [index for index, token in enumerate(reading.tokens) if token.kept]
    gap = next((at for at in range(1, len(kept)) if kept[at] > kept[at - 1] + 1), None)
    return Growth(
        reading=reading,
        tokens=tuple(_read(reading, predictor.tokenizer)),
        gap=gap,
        labels=predictor.labels,
        decision=predictor.decision,
        lengths=lengths,
        probabilities=probabilities,
        choices=predictor.decision.choose(probabilities),
        unsure=predictor.decision.unsure(probabilities),
        known=bool(last.known[0]),
        states=tuple(_states(opened, ids)),
    )


def _lengths(tokens: int) -> Indices:
    """How many tokens each prefix has that is scored."""
    count = min(tokens, MOST_PREFIXES, max(2 * MOST_TOKENS // tokens, 1))
    return np.asarray(np.arange(1, count + 1) * tokens // count, np.intp)


def _read(reading: Reading, tokenizer: Tokenizer) -> Iterator[Token]:
    if not reading.tokens:
        yield Token(tokenizer.oov_token, UNKNOWN, kept=True)
    yield from (token for token in reading.tokens if token.kept)


def _states(opened: Bundle, ids: list[int]) -> Iterator[States]:
    where = str(opened.path / ONNX_MODEL)
    file = opened.read(ONNX_MODEL)
    graph, names = with_states(file, read_graph(file, where))
    found = open_session(graph, where).run(names, {"ids": np.array([ids], np.int32)})
    for layer, states in enumerate(found, start=1):  # [time, directions, 1, units]
        for direction in range(states.shape[1]):
            yield States(layer, bool(direction), states[:, direction, 0])
