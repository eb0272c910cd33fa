"""Predictions as lines on the standard output."""

import csv
import json
import sys
from collections.abc import Sequence

import click

from rnn_cli.scoring.predictor import Prediction

CONTROL = dict.fromkeys([*range(32), *range(127, 160)], " ")
"""Characters that could move a terminal's cursor or change its state."""


class Writer:
    """Writes predictions in one of the formats of `rnn predict`; a header, where the format has one, comes first.

    csv, tsv and jsonl carry the text, the label, its probability, whether no word was known and, with `proba`,
    the probability of every label. plain is label, tab, probability.
    """

    def __init__(self, style: str, labels: Sequence[str], *, proba: bool) -> None:
        self.style, self.labels, self.proba = style, labels, proba
        self._rows = csv.writer(sys.stdout, delimiter="\t" if style == "tsv" else ",", lineterminator="\n")
        self._width = max(map(len, labels))
        if style in ("csv", "tsv"):
            header = ["text", "label", "probability", "no_known_words"]
            self._rows.writerow(header + [f"p({label})" for label in labels] * proba)

    def write(self, texts: Sequence[str], predictions: Sequence[Prediction]) -> None:
        """Write one answer a text and flush them."""
        line = {"human": self._human, "plain": self._plain, "jsonl": self._json}.get(self.style)
        for text, prediction in zip(texts, predictions, strict=True):
            if line is None:
                self._rows.writerow(self._fields(text, prediction))
            else:
                click.echo(line(text, prediction))
        sys.stdout.flush()

    def _fields(self, text: str, prediction: Prediction) -> list[str]:
        fields = [
            text,
            prediction.label,
            _number(prediction.probability),
            str(prediction.no_known_words).lower(),
        ]
        return fields + [_number(value) for value in prediction.probabilities] * self.proba

    def _plain(self, text: str, prediction: Prediction) -> str:
        return "\t".join([prediction.label, _number(prediction.probability)] + self._all(prediction))

    def _json(self, text: str, prediction: Prediction) -> str:
        answer: dict[str, object] = {
            "text": text,
            "label": prediction.label,
            "probability": round(prediction.probability, 6),
            "no_known_words": prediction.no_known_words,
        }
        if self.proba:
            answer["probabilities"] = {
                label: round(value, 6) for label, value in zip(self.labels, prediction.probabilities, strict=True)
            }
        return json.dumps(answer, ensure_ascii=False)

    def _human(self, text: str, prediction: Prediction) -> str:
        label = click.style(prediction.label.translate(CONTROL).ljust(self._width), bold=True)
        extra = f"  [{', '.join(self._all(prediction))}]" if self.proba else ""
        doubt = click.style("  (no known word)", fg="yellow") if prediction.no_known_words else ""
        return f"{label}  {prediction.probability:6.1%}{extra}  {' '.join(text.translate(CONTROL).split())}{doubt}"

    def _all(self, prediction: Prediction) -> list[str]:
        if not self.proba:
            return []
        return [f"{label}={_number(p)}" for label, p in zip(self.labels, prediction.probabilities, strict=True)]


def _number(probability: float) -> str:
    return f"{probability:.6f}"
