"""A gradient's decay on a terminal: a table, a chart of letters, a sentence a cell, and which cells differ."""

import math
from collections.abc import Iterator, Mapping

import click
import numpy as np

from rnn_cli.arrays import Floats
from rnn_cli.cli.layout import paragraph, show_table, table
from rnn_cli.inspection.decay import BAND, NEARBY, Lesson, Spread
from rnn_cli.text.plain import one_line

_COLUMNS, _ROWS = 64, 15
"""The chart's size, at most, so that it stands on 80 columns."""


_LEAST, MOST = 1e-7, 1e7
"""The chart's range, at most: beyond, a gradient is as good as nothing, or as everything."""


SEVERAL, BETWEEN = "*", "·"
"""Marks of the chart: where several cells meet, and within a cell's band."""

WITHIN = f"{BAND[1] - BAND[0]:.0%} of all networks and texts"


LEFT = " of the gradient is left"


def show_lesson(lesson: Lesson) -> None:
    """All there is to tell."""
    click.secho("What is left of the gradient on its way back from a text's end", bold=True)
    scaled = f", first recurrent weights × {lesson.scale:g}" if lesson.scale != 1 else ""
    texts = f"{_counted(lesson.texts, 'training text')} of {_counted(lesson.tokens, lesson.unit)} or more"
    networks = f"{_counted(lesson.seeds, 'network')} a cell, one layer of {_counted(lesson.units, 'unit')}{scaled}"
    click.echo(paragraph(f"{texts}, {one_line(lesson.source)}; {networks}", indent="") + "\n")
    show_table(decay_table(lesson))
    for line in ("", *chart({each.cell: each.last for each in lesson.decays}, lesson.unit), ""):
        click.echo(line)
    if lesson.steps:
        click.echo(f"After {_counted(lesson.steps, 'training step')}:")
    for line in (*sentences(lesson), "", *verdicts(lesson)):
        click.echo(paragraph(line, indent=""))


def _counted(number: int, noun: str) -> str:
    """A number and what it counts."""
    return f"{number:,} {noun}" + "s" * (number != 1)


def decay_table(lesson: Lesson) -> list[str]:
    """The means: a row a distance, a column a cell; twice as many where the cells were trained."""
    groups = [("untrained", [each.untrained.mean for each in lesson.decays])]
    if trained := [each.trained.mean for each in lesson.decays if each.trained is not None]:
        groups.append((f"after {_counted(lesson.steps, 'step')}", trained))
    rows = [
        (f"{mark:,}", *(figure(float(curve[mark])) for _, curves in groups for curve in curves))
        for mark in lesson.marks
    ]
    head = (f"{lesson.unit}s back", *[each.cell for each in lesson.decays] * len(groups))
    return table(head, rows, names=0, groups=[("", 1), *((name, len(curves)) for name, curves in groups)])


def figure(left: float) -> str:
    """A share of the gradient in two digits; 0 and ∞ are less and more than a 32-bit number holds."""
    if math.isinf(left):
        return "∞"
    if not left or left >= 9.95:
        return f"{left:.2g}"
    return f"{left:.2f}" if left >= 0.0995 else f"{left:#.2g}"


def sentences(lesson: Lesson) -> Iterator[str]:
    """What the means say, a line a cell, each with its band: near the end, and at the farthest round distance."""
    near = max(mark for mark in lesson.marks if mark <= NEARBY)
    for decay in lesson.decays:
        text = ""
        for mark in sorted({near, lesson.far} - {0}):
            words = _in_words(float(decay.last.mean[mark]))
            # Said once a line is enough.
            words = words.removesuffix(LEFT) if LEFT in text and words.endswith(LEFT) else words
            band = f"{_short(float(decay.last.low[mark]))} to {_short(float(decay.last.high[mark]))}"
            text += f"{', ' * bool(text)}after {_counted(mark, lesson.unit)} {words} ({band})"
        yield f"{decay.cell + ':':<5} {text or f'no text is longer than one {lesson.unit}'}"


def verdicts(lesson: Lesson) -> Iterator[str]:
    """Which cell keeps more than which at the farthest round distance, and of which two that cannot be told."""
    if not lesson.far:
        return
    yield f"In brackets: where {WITHIN} lie. So, after {_counted(lesson.far, lesson.unit)}:"
    for stage, pairs in lesson.compared().items():
        when = "untrained" if stage == "untrained" else f"after {_counted(lesson.steps, 'training step')}"
        clear = [f"{each.more} keeps more than {each.less}" for each in pairs if each.can_tell]
        unclear = [f"{each.less} from {each.more}" for each in pairs if not each.can_tell]
        unclear = [f"cannot tell {', '.join(unclear)}: their bands overlap"] if unclear else []
        yield f"{when}: {'; '.join([*clear, *unclear])}"


def _in_words(left: float) -> str:
    """A share of the gradient, in plain words."""
    if left >= 1.995:
        return f"it has grown {left:,.0f}-fold" if left < 1e6 else "it has grown more than a million-fold"
    if left < 1e-6:
        return "less than a millionth" + LEFT
    return f"{_short(left)}{LEFT}"


def _short(left: float) -> str:
    """A share of the gradient in a few characters."""
    if left >= 1.995:
        return f"{left:,.0f}-fold" if left < 1e6 else "over 1e6-fold"
    if left < 1e-6:
        return "under 1e-6"
    return f"{left:.0%}" if left >= 0.0995 else f"{float(f'{left * 100:.1g}'):g}%"


def chart(curves: Mapping[str, Spread], unit: str) -> list[str]:
    """Means on a logarithmic axis, a letter each: its cell's first; * where several meet; dots within a band."""
    length = len(next(iter(curves.values())).mean)
    logs = {name: [_logs(each) for each in (spread.mean, spread.low, spread.high)] for name, spread in curves.items()}
    shown = [float(log) for each in logs.values() for log in each[0] if _LEAST <= 10**log <= MOST]
    lines_a_decade = max(1, int(_ROWS // max(max(shown) - min(shown), 1)))
    top = max(math.ceil(max(shown) * lines_a_decade), 0)
    bottom = min(math.floor(min(shown) * lines_a_decade), -lines_a_decade)
    lines = {level: [" "] * _COLUMNS for level in range(top, bottom - 1, -1)}
    indices = _indices(length)
    for _, low, high in logs.values():
        for column, distance in indices:
            for level, line in lines.items():
                if low[distance] <= level / lines_a_decade <= high[distance]:
                    line[column] = BETWEEN
    for name, (mean, _, _) in logs.items():
        for column, distance in indices:
            line_of = lines.get(round(float(mean[distance]) * lines_a_decade))
            if line_of is not None:
                line_of[column] = name[0] if line_of[column] in (" ", BETWEEN, name[0]) else SEVERAL
    drawn = [f"{_power(level, lines_a_decade):>6} │{''.join(line)}".rstrip() for level, line in lines.items()]
    foot = f"0{f'{_counted(length - 1, unit)} back':>{_COLUMNS - 1}}"
    letters = ", ".join(f"{name[0]} {name}" for name in curves)
    marks = f"{SEVERAL} several, {BETWEEN} the band of a cell"
    return [*drawn, f"{'':7}└{'─' * _COLUMNS}", f"{'':8}{foot}", f"{'':8}{letters}, {marks}"]


def _logs(curve: Floats) -> Floats:
    return np.log10(np.clip(curve, _LEAST / 10, MOST * 10))


def _indices(length: int) -> list[tuple[int, int]]:
    """Which distance stands in which column: each distance once, or each column one of many."""
    if length < _COLUMNS:
        return [(round(distance * (_COLUMNS - 1) / max(length - 1, 1)), distance) for distance in range(length)]
    return [(column, round(column * (length - 1) / (_COLUMNS - 1))) for column in range(_COLUMNS)]


def _power(level: int, lines_a_decade: int) -> str:
    if level % lines_a_decade:
        return ""
    return f"1e{level // lines_a_decade:+d}" if level else "1"
