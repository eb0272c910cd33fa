"""Predictions as lines on the standard output."""

import csv
import io
import json
import re
import sys
from collections.abc import Sequence

import click
from rich.cells import cell_len

from rnn_cli.cli.layout import NAME_CELLS, cut_to, for_terminal, padded, terminal_width, to_json
from rnn_cli.scoring.decision import UNSURE
from rnn_cli.scoring.prediction import (
    JOINS,
    NONE,
    ColumnPart,
    LabelsPrediction,
    NumberPrediction,
    OrderedPrediction,
    Part,
    Prediction,
    exact_number,
    explained_label,
    joining,
)
from rnn_cli.text.plain import apart, one_line, plain

STRONGEST = 5
"""How many words for a prediction, and how many against it, are named."""


LEAST = 0.005
"""A weight that is printed as 0.00: it leaves the prediction unchanged."""


_INDENT = "    "


def shown_explanation(text: str, parts: Sequence[Part], names: tuple[str, str] = ("for", "against")) -> str:
    """The text, wrapped, with what speaks for the prediction in green and what speaks against it in red.

    `names` are what both are called; of ordered labels "up" and "down", as they raise or lower the expected value.
    """
    # A character for each, so that the parts' places hold.
    flat = plain("".join(" " if each.isspace() else each for each in text))
    width = terminal_width()
    ranges = _wrapped(flat, max(width - len(_INDENT), 2)) if width else [(0, len(flat.rstrip()))]
    top = max((abs(part.weight) for part in parts), default=0.0)
    lines = [_painted(flat, start, end, parts, top) for start, end in ranges]
    for name, sign in zip(names, (1, -1), strict=True):
        ranked = sorted((part for part in parts if sign * part.weight >= LEAST), key=lambda part: -abs(part.weight))
        if ranked:
            lines.append(_named(name, [(flat[part.start : part.end], part.weight) for part in ranked[:STRONGEST]]))
    return "".join(f"{_INDENT}{line}\n" for line in lines if line)


def explanation_fields(text: str, parts: Sequence[Part]) -> list[dict[str, object]]:
    """What a JSON prediction holds of it: the parts in order, weights with 6 significant digits."""
    return [
        {
            "text": text[part.start : part.end],
            "start": part.start,
            "end": part.end,
            "weight": float(f"{part.weight:.6g}"),
        }
        for part in parts
    ]


def shown_columns(columns: Sequence[ColumnPart]) -> str:
    """The other columns with their values and weights, a line; nothing where there are none."""
    if not columns:
        return ""
    found = (
        f"{one_line(each.column)} {'missing' if each.value is None else one_line(each.value)} {each.weight:+.2f}"
        for each in columns
    )
    return f"{_INDENT}{'columns':<8} {', '.join(found)}\n"


def column_fields(columns: Sequence[ColumnPart]) -> list[dict[str, object]]:
    """What a JSON prediction holds of them: in the model's order, weights with 6 significant digits."""
    return [{"column": each.column, "value": each.value, "weight": float(f"{each.weight:.6g}")} for each in columns]


def _wrapped(text: str, cells: int) -> list[tuple[int, int]]:
    """The lines, text[start:end], at most `cells` columns wide."""
    lines: list[tuple[int, int]] = []
    # A character takes two columns at most, so that what is matched fits a line; a longer word may be broken.
    for word in re.finditer(rf"\S{{1,{cells // 2}}}", text):
        start, end = word.span()
        if lines and cell_len(text[lines[-1][0] : end]) <= cells:
            start, _ = lines.pop()
        lines.append((start, end))
    return lines


def _painted(text: str, start: int, end: int, parts: Sequence[Part], top: float) -> str:
    painted, done = "", start
    for part in parts:
        first, last = max(part.start, start), min(part.end, end)
        if first < last:
            painted += text[done:first] + _coloured(text[first:last], part.weight, top)
            done = last
    return painted + text[done:end]


def _coloured(text: str, weight: float, top: float) -> str:
    # Bold and underlined rather than bright: bright colours vanish on a light background.
    strength = abs(weight) / top if abs(weight) >= LEAST else 0.0
    if strength < 0.1:
        return text
    colour = "green" if weight > 0 else "red"
    return click.style(text, fg=colour, bold=strength >= 1 / 3 or None, underline=strength >= 2 / 3 or None)


def _named(name: str, ranked: Sequence[tuple[str, float]]) -> str:
    """The words and their weights on one line, as many as it holds."""
    width = terminal_width()
    line = f"{name:<8}"
    for text, weight in ranked:
        longer = f"{line} {cut_to(text, NAME_CELLS)} {weight:+.2f} "
        if width is not None and line.strip() != name and cell_len(_INDENT + longer.rstrip()) > width:
            break
        line = longer
    return line.rstrip()


class Writer:
    """Writes predictions in one of the formats of `rnn predict`; a header, where the format has one, comes first.

    Of a model of several labels (`several`) csv, tsv and jsonl carry the labels and their probabilities, as `rnn score`
    writes them, and the others name each label with its probability, or "none". Of one of ordered labels (`ordered`)
    the expected value follows. Of one of numbers (`number`) there is a number, and no label. With `covers` comes the
    set of labels that holds the true one as often as asked, of numbers the ends of their range.

    csv, tsv and jsonl carry the text, the label, its probability, whether no word was known, for a model that
    `abstains` whether the prediction is unsure and, with `proba`, the probability of every label. plain is label, tab,
    probability. human is cut to the terminal's width. In both, "unsure" stands for the label of an unsure prediction.
    """

    def __init__(
        self,
        style: str,
        labels: Sequence[str],
        *,
        proba: bool,
        abstains: bool = False,
        several: bool = False,
        ordered: bool = False,
        covers: bool = False,
        number: bool = False,
    ) -> None:
        self._labels, self._proba, self._abstains, self._covers = labels, proba, abstains, covers
        self._join = joining(labels)
        self._delimiter = "\t" if style == "tsv" else ","
        self._line = {"human": self._human, "plain": self._plain, "jsonl": self._json}.get(style, self._record)
        self._names = apart([*labels, UNSURE] if abstains else labels, NAME_CELLS, cut_to)
        self._cells = max(map(cell_len, self._names.values()), default=0)
        self._width = terminal_width()
        self._blank = ""
        if style in ("csv", "tsv"):
            found = ["labels", "label_probabilities"] if several else ["label", "probability"]
            found += ["expected"] * ordered
            found += ["label_set"] * covers
            if number:
                found = ["number", *["low", "high"] * covers]
            header = ["text", *found, "no_known_words", *(["unsure"] if abstains else [])]
            self._echo(self._joined(header + [f"p({label})" for label in labels] * proba) + "\n")

    def write(self, texts: Sequence[str], predictions: Sequence[Prediction]) -> None:
        """Write one prediction a text and flush them."""
        lines = (self._line(text, prediction) + "\n" for text, prediction in zip(texts, predictions, strict=True))
        self._echo("".join(lines))

    def write_explained(
        self,
        texts: Sequence[str],
        predictions: Sequence[Prediction],
        parts: Sequence[Sequence[Part]],
        columns: Sequence[Sequence[ColumnPart]] = (),
    ) -> None:
        """Write one prediction a text with what speaks for and against it, and flush them; human and jsonl only.

        `columns` says the same of the other columns that the model reads.
        """
        for record in zip(texts, predictions, parts, columns or [()] * len(texts), strict=True):
            click.echo(self._explained(*record), nl=False)

    def _echo(self, lines: str) -> None:
        """Write records as they are, to a terminal without what it must not get; click would cut from the texts."""
        if self._line != self._record:
            click.echo(lines, nl=False)
        else:
            click.echo(for_terminal(lines) if sys.stdout.isatty() else lines, nl=False, color=True)

    def _explained(
        self, text: str, prediction: Prediction, parts: Sequence[Part], columns: Sequence[ColumnPart]
    ) -> str:
        if self._line == self._json:
            fields = self._fields(text, prediction)
            if isinstance(prediction, LabelsPrediction):
                fields["explained"] = explained_label(prediction, self._labels)
            fields["explanation"] = explanation_fields(text, parts)
            if columns:
                fields["columns"] = column_fields(columns)
            return to_json(fields) + "\n"
        blank, self._blank = self._blank, "\n"  # between texts
        about = ""
        if isinstance(prediction, LabelsPrediction):
            about = f"{_INDENT}{one_line(explained_label(prediction, self._labels))}:\n"
        moves = isinstance(prediction, OrderedPrediction | NumberPrediction)
        names = ("up", "down") if moves else ("for", "against")
        shown = shown_explanation(text, parts, names) + shown_columns(columns)
        return f"{blank}{self._human(text, prediction)}\n{about}{shown}"

    def _record(self, text: str, prediction: Prediction) -> str:
        found = [prediction.label, _number(prediction.probability)]
        if isinstance(prediction, LabelsPrediction):
            names, shares = prediction.labels, map(_number, prediction.label_probabilities)
            found = [self._together(names), (self._join or JOINS[0]).join(shares)]
        elif isinstance(prediction, OrderedPrediction):
            found.append(_number(prediction.expected))
        found += [self._together(prediction.label_set)] * self._covers
        if isinstance(prediction, NumberPrediction):
            found = list(map(_exact, _numbers(prediction)))
        fields = [text, *found, str(prediction.no_known_words).lower()]
        fields += [str(prediction.unsure).lower()] * self._abstains
        return self._joined(fields + list(map(_number, prediction.probabilities)) * self._proba)

    def _together(self, names: Sequence[str]) -> str:
        """Several labels as one value."""
        return self._join.join(names) if self._join else json.dumps(names, ensure_ascii=False)

    def _joined(self, fields: Sequence[str]) -> str:
        # Only what is in the line's end is quoted, so a lone CR in a text would be read back as one.
        record = io.StringIO(newline="")
        csv.writer(record, delimiter=self._delimiter, lineterminator="\r\n").writerow(fields)
        return record.getvalue().removesuffix("\r\n")

    def _plain(self, text: str, prediction: Prediction) -> str:
        if isinstance(prediction, NumberPrediction):
            return "\t".join(map(_exact, _numbers(prediction)))
        label = UNSURE if prediction.unsure else one_line(prediction.label)
        fields = [label, _number(prediction.probability)]
        if isinstance(prediction, LabelsPrediction):
            fields = [_with_shares(prediction)]
        elif isinstance(prediction, OrderedPrediction):
            fields.append(_number(prediction.expected))
        fields += [one_line(self._together(prediction.label_set))] * self._covers
        return "\t".join(fields + [f"{name}={_number(p)}" for name, p in self._all(prediction)])

    def _json(self, text: str, prediction: Prediction) -> str:
        return to_json(self._fields(text, prediction))

    def _fields(self, text: str, prediction: Prediction) -> dict[str, object]:
        record: dict[str, object] = {"text": text}
        if isinstance(prediction, NumberPrediction):
            found = dict(zip(("number", "low", "high"), map(exact_number, _numbers(prediction)), strict=False))
            return record | found | {"no_known_words": prediction.no_known_words}
        if isinstance(prediction, LabelsPrediction):
            shares = [round(each, 6) for each in prediction.label_probabilities]
            record |= {"labels": list(prediction.labels), "label_probabilities": shares}
        else:
            record |= {"label": prediction.label, "probability": round(prediction.probability, 6)}
            if isinstance(prediction, OrderedPrediction):
                record["expected"] = round(prediction.expected, 6)
        if self._covers:
            record["label_set"] = list(prediction.label_set)
        record["no_known_words"] = prediction.no_known_words
        if self._abstains:
            record["unsure"] = prediction.unsure
        if self._proba:
            every = zip(self._labels, prediction.probabilities, strict=True)
            record["probabilities"] = {label: round(p, 6) for label, p in every}
        return record

    def _human(self, text: str, prediction: Prediction) -> str:
        if isinstance(prediction, NumberPrediction):
            label, metrics = prediction.label, "  "
        elif isinstance(prediction, LabelsPrediction):
            label, metrics = _with_shares(prediction), "  "
        else:
            label = padded(self._names[UNSURE if prediction.unsure else prediction.label], self._cells)
            metrics = f"  {prediction.probability:6.1%}  "
            if isinstance(prediction, OrderedPrediction):
                metrics += f"expected {prediction.expected:.2f}  "
        if isinstance(prediction, NumberPrediction):
            metrics += f"({' to '.join(shown_ends(prediction))})  " * self._covers
        elif self._covers:
            metrics += f"{{{', '.join(self._names[name] for name in prediction.label_set)}}}  "
        if self._proba:
            every = zip(self._labels, prediction.probabilities, strict=True)
            ranked = every if isinstance(prediction, OrderedPrediction) else sorted(every, key=lambda each: -each[1])
            metrics += f"[{', '.join(f'{self._names[name]} {p:.1%}' for name, p in ranked)}]  "
        doubt = f"(nearest: {self._names[prediction.label]})  " if prediction.unsure else ""
        of_one = not isinstance(prediction, LabelsPrediction | NumberPrediction)
        by_threshold = of_one and len(self._labels) == 2 and prediction.probability < 0.5 and not prediction.unsure
        doubt += "(by the threshold)  " if by_threshold else ""
        doubt += "(no known word)  " if prediction.no_known_words else ""
        left = sys.maxsize if self._width is None else self._width - cell_len(label + metrics + doubt)
        # A text of which less could be shown would tell nothing: it wraps.
        shown = cut_to(text, left) if left >= 20 else one_line(text)
        return (
            click.style(label, bold=True) + metrics + click.style(doubt, fg="yellow") * bool(doubt) + shown
        ).rstrip()

    def _all(self, prediction: Prediction) -> list[tuple[str, float]]:
        return list(zip(map(one_line, self._labels), prediction.probabilities, strict=True)) * self._proba


def _numbers(prediction: NumberPrediction) -> list[float]:
    """The number, and the ends of its range where there is one."""
    return [each for each in (prediction.number, prediction.low, prediction.high) if each is not None]


def shown_ends(prediction: NumberPrediction) -> list[str]:
    """The ends of a number's range, with as many decimals as its label has."""
    decimals = len(prediction.label.partition(".")[2])
    return [
        f"{round(each, decimals) + 0.0:.{decimals}f}" for each in (prediction.low, prediction.high) if each is not None
    ]


def _exact(number: float) -> str:
    return f"{number:.9g}"


def _with_shares(prediction: LabelsPrediction) -> str:
    """ "anger 0.91, joy 0.66", or "none"."""
    pairs = zip(prediction.labels, prediction.label_probabilities, strict=True)
    return ", ".join(f"{one_line(label)} {share:.2f}" for label, share in pairs) or NONE


def _number(probability: float) -> str:
    return f"{probability:.6f}"
