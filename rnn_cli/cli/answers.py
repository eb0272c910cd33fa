"""Predictions as lines on the standard output."""

import csv
import io
import sys
from collections.abc import Sequence

import click
from rich.cells import cell_len

from rnn_cli.cli import explanations
from rnn_cli.cli.layout import NAME_CELLS, for_terminal, padded, shortened, terminal_width, to_json
from rnn_cli.evaluation.names import apart
from rnn_cli.scoring.decision import UNSURE
from rnn_cli.scoring.explain import Part
from rnn_cli.scoring.predictor import Prediction
from rnn_cli.text.plain import one_line


class Writer:
    """Writes predictions in one of the formats of `rnn predict`; a header, where the format has one, comes first.

    csv, tsv and jsonl carry the text, the label, its probability, whether no word was known, for a model that
    `abstains` whether the answer is unsure and, with `proba`, the probability of every label. plain is label, tab,
    probability. human is cut to the terminal's width. In both, "unsure" stands for the label of an unsure answer.
    """

    def __init__(self, style: str, labels: Sequence[str], *, proba: bool, abstains: bool = False) -> None:
        self._labels, self._proba, self._abstains = labels, proba, abstains
        self._delimiter = "\t" if style == "tsv" else ","
        self._line = {"human": self._human, "plain": self._plain, "jsonl": self._json}.get(style, self._record)
        self._names = apart([*labels, UNSURE] if abstains else labels, NAME_CELLS, shortened)
        self._cells = max(map(cell_len, self._names.values()))
        self._width = terminal_width()
        self._blank = ""
        if style in ("csv", "tsv"):
            header = ["text", "label", "probability", "no_known_words", *(["unsure"] if abstains else [])]
            self._echo(self._joined(header + [f"p({label})" for label in labels] * proba) + "\n")

    def write(self, texts: Sequence[str], predictions: Sequence[Prediction]) -> None:
        """Write one answer a text and flush them."""
        lines = (self._line(text, prediction) + "\n" for text, prediction in zip(texts, predictions, strict=True))
        self._echo("".join(lines))

    def write_explained(
        self, texts: Sequence[str], predictions: Sequence[Prediction], parts: Sequence[Sequence[Part]]
    ) -> None:
        """Write one answer a text with what speaks for and against it, and flush them; human and jsonl only."""
        for answer in zip(texts, predictions, parts, strict=True):
            click.echo(self._explained(*answer), nl=False)

    def _echo(self, lines: str) -> None:
        """Write records as they are, to a terminal without what it must not get; click would cut from the texts."""
        if self._line != self._record:
            click.echo(lines, nl=False)
        else:
            click.echo(for_terminal(lines) if sys.stdout.isatty() else lines, nl=False, color=True)

    def _explained(self, text: str, prediction: Prediction, parts: Sequence[Part]) -> str:
        if self._line == self._json:
            return to_json(self._fields(text, prediction) | {"explanation": explanations.fields(text, parts)}) + "\n"
        blank, self._blank = self._blank, "\n"  # between texts
        return f"{blank}{self._human(text, prediction)}\n{explanations.shown(text, parts)}"

    def _record(self, text: str, prediction: Prediction) -> str:
        fields = [text, prediction.label, _number(prediction.probability), str(prediction.no_known_words).lower()]
        fields += [str(prediction.unsure).lower()] * self._abstains
        return self._joined(fields + list(map(_number, prediction.probabilities)) * self._proba)

    def _joined(self, fields: Sequence[str]) -> str:
        # Only what is in the line's end is quoted, so a lone CR in a text would be read back as one.
        record = io.StringIO(newline="")
        csv.writer(record, delimiter=self._delimiter, lineterminator="\r\n").writerow(fields)
        return record.getvalue().removesuffix("\r\n")

    def _plain(self, text: str, prediction: Prediction) -> str:
        label = UNSURE if prediction.unsure else one_line(prediction.label)
        fields = [label, _number(prediction.probability)]
        return "\t".join(fields + [f"{name}={_number(p)}" for name, p in self._all(prediction)])

    def _json(self, text: str, prediction: Prediction) -> str:
        return to_json(self._fields(text, prediction))

    def _fields(self, text: str, prediction: Prediction) -> dict[str, object]:
        answer: dict[str, object] = {
            "text": text,
            "label": prediction.label,
            "probability": round(prediction.probability, 6),
            "no_known_words": prediction.no_known_words,
        }
        if self._abstains:
            answer["unsure"] = prediction.unsure
        if self._proba:
            every = zip(self._labels, prediction.probabilities, strict=True)
            answer["probabilities"] = {label: round(p, 6) for label, p in every}
        return answer

    def _human(self, text: str, prediction: Prediction) -> str:
        label = padded(self._names[UNSURE if prediction.unsure else prediction.label], self._cells)
        figures = f"  {prediction.probability:6.1%}  "
        if self._proba:
            every = zip(self._labels, prediction.probabilities, strict=True)
            ranked = sorted(every, key=lambda each: -each[1])
            figures += f"[{', '.join(f'{self._names[name]} {p:.1%}' for name, p in ranked)}]  "
        doubt = f"(nearest: {self._names[prediction.label]})  " if prediction.unsure else ""
        by_threshold = len(self._labels) == 2 and prediction.probability < 0.5 and not prediction.unsure
        doubt += "(by the threshold)  " if by_threshold else ""
        doubt += "(no known word)  " if prediction.no_known_words else ""
        left = sys.maxsize if self._width is None else self._width - cell_len(label + figures + doubt)
        # A text of which less could be shown would tell nothing: it wraps.
        shown = shortened(text, left) if left >= 20 else one_line(text)
        return (
            click.style(label, bold=True) + figures + click.style(doubt, fg="yellow") * bool(doubt) + shown
        ).rstrip()

    def _all(self, prediction: Prediction) -> list[tuple[str, float]]:
        return list(zip(map(one_line, self._labels), prediction.probabilities, strict=True)) * self._proba


def _number(probability: float) -> str:
    return f"{probability:.6f}"
