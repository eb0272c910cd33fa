"""How a prediction grows while a text is read, and the states of the recurrent layers on the way.

Loads no TensorFlow. The prediction for each prefix is that of the whole model, with n-grams, calibration and decision.
The states are from one run of the predicting graph on the whole text.
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
from rnn_cli.scoring.of_each import DecisionOfEach
from rnn_cli.scoring.predictor import Predictor, open_session
from rnn_cli.text.tokenizer import Tokenizer
from rnn_cli.text.tokenizer_json import UNKNOWN

MAX_PREFIXES, MAX_SCORED_TOKENS = 500, 1 << 20
"""At most how many prefixes of a text are scored, with about how many tokens in all; others are skipped."""


@dataclass(frozen=True)
class States:
    """The states of one direction of a recurrent layer, `[tokens, units]`; `layer` 1 is the one next to the input.

    A state of the backward direction has read from the text's end to its token, including the token.
    """

    layer: int
    backward: bool
    values: Floats32

    @property
    def direction(self) -> str:
        """The direction's name."""
        return "backward" if self.backward else "forward"

    def most_moved(self, count: int) -> Indices:
        """The `count` units whose states change most through the text, starting from zero; largest last state first.

        A unit's change is the sum of the absolute values of its steps.
        """
        way = self.values[::-1] if self.backward else self.values
        moved = np.abs(np.diff(way, axis=0, prepend=np.zeros_like(way[:1]))).sum(axis=0)
        chosen = np.argsort(-moved, kind="stable")[:count]
        return np.asarray(chosen[np.argsort(-way[-1, chosen], kind="stable")], np.intp)


@dataclass(frozen=True)
class Growth:
    """A text as a model reads it, what it predicts after each prefix, and its states.

    `tokens` are those that are read; a text without tokens is read as one unknown token. `gap` is the index of the
    first token after a cut in the middle, None without such a cut. Each prefix has as many tokens as `lengths` says,
    the last one all; `probabilities` are `[prefixes, labels]`, `choices` the predicted labels, by index, and `unsure`
    says where the model abstains.
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
        """The label whose probability is shown: of two the positive one, of more the one predicted in the end.

        Where a text may have several, it is the most probable one.
        """
        return 1 if self.of_two else int(self.choices[-1])

    @property
    def of_two(self) -> bool:
        """Whether a text has one of two labels."""
        return len(self.labels) == 2 and not isinstance(self.decision, DecisionOfEach)

    @cached_property
    def at(self) -> Mapping[int, int]:
        """The prefix that ends with each token, by the token's index; in a very long text not every token has one."""
        return {int(length) - 1: prefix for prefix, length in enumerate(self.lengths)}

    @cached_property
    def scales(self) -> Mapping[int, float]:
        """The largest absolute state of each layer, by the layer."""
        largest: dict[int, float] = {}
        for each in self.states:
            largest[each.layer] = max(largest.get(each.layer, 0.0), float(np.abs(each.values).max()))
        return largest

    def to_dict(self, units: int) -> dict[str, Any]:
        """Everything as plain values, with the `units` most changed units of each direction."""
        return {
            "text": self.reading.text,
            "label": self.labels[self.label],
            "labels": list(self.labels),
            "threshold": self.decision.threshold if self.of_two else None,
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
    """Read a text with a bundle; raises `BundleError` if it is damaged or foreign."""
    predictor = Predictor(opened)
    predictor.refuse_numbers("a reading follows the probability of a label")
    predictor.need_texts_alone("what a model makes of a text word by word is")
    (reading,) = read_texts(predictor.tokenizer, [text])
    ids = list(reading.ids)
    lengths = _lengths(len(ids))
    # The whole text is scored alone, as by rnn predict: in a batch its last digits may differ.
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
        choices=predictor.likeliest(probabilities),
        unsure=predictor.decision.unsure(probabilities),
        known=bool(last.known[0]),
        states=tuple(_states(opened, ids)),
    )


def _lengths(tokens: int) -> Indices:
    """The number of tokens of each prefix that is scored."""
    count = min(tokens, MAX_PREFIXES, max(2 * MAX_SCORED_TOKENS // tokens, 1))
    return np.asarray(np.arange(1, count + 1) * tokens // count, np.intp)


def _read(reading: Reading, tokenizer: Tokenizer) -> Iterator[Token]:
    if not reading.tokens:
        yield Token(tokenizer.oov_token, UNKNOWN, kept=True)
    yield from (token for token in reading.tokens if token.kept)


def _states(opened: Bundle, ids: list[int]) -> Iterator[States]:
    where = str(opened.path / ONNX_MODEL)
    file = opened.read(ONNX_MODEL)
    graph, names = with_states(file, read_graph(file, where))
    if not names:
        return  # a linear model has none
    found = open_session(graph, where).run(names, {"ids": np.array([ids], np.int32)})
    for layer, states in enumerate(found, start=1):  # [time, directions, 1, units]
        for direction in range(states.shape[1]):
            yield States(layer, bool(direction), states[:, direction, 0])
