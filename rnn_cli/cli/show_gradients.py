"""A gradient's decay on a terminal: a table, a chart of letters, a sentence a cell."""

import math
from collections.abc import Iterator, Mapping

import click
import numpy as np

from rnn_cli.arrays import Floats
from rnn_cli.cli.layout import show_table, table
from rnn_cli.inspection.decay import Lesson
from rnn_cli.text.plain import one_line

_COLUMNS, _ROWS = 64, 15
"""The chart's size, at most, so that it stands on 80 columns."""


_LEAST, MOST = 1e-7, 1e7
"""The chart's range, at most: beyond, a gradient is as good as nothing, or as everything."""


SEVERAL = "*"


LEFT = " of the gradient is left"


def show_lesson(lesson: Lesson) -> None:
    """All there is to tell."""
    click.secho("What is left of the gradient on its way back from a text's end", bold=True)
    scaled = f", first recurrent weights × {lesson.scale:g}" if lesson.scale != 1 else ""
    click.echo(
        f"{_counted(lesson.texts, 'training text')} of {_counted(lesson.tokens, lesson.unit)} or more,", nl=False
    )
    click.echo(f" {one_line(lesson.source)}; one layer of {_counted(lesson.units, 'unit')}{scaled}\n")
    show_table(decay_table(lesson))
    for line in ("", *chart({each.cell: each.last for each in lesson.decays}, lesson.unit), ""):
        click.echo(line)
    if lesson.steps:
        click.echo(f"After {_counted(lesson.steps, 'training step')}:")
    for line in sentences(lesson):
        click.echo(line)


def _counted(number: int, noun: str) -> str:
    """A number and what it counts."""
    return f"{number:,} {noun}" + "s" * (number != 1)


def decay_table(lesson: Lesson) -> list[str]:
    """A row a distance, a column a cell; twice as many where the cells were trained."""
    groups = [("untrained", [each.untrained for each in lesson.decays])]
    if trained := [each.trained for each in lesson.decays if each.trained is not None]:
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
    """What the figures say, a line a cell: about twenty tokens back, and at the farthest round distance."""
    near = max(mark for mark in lesson.marks if mark <= 20)
    far = max((mark for mark in lesson.marks[:-1] if mark > near), default=lesson.marks[-1])
    for decay in lesson.decays:
        text = ""
        for mark in sorted({near, far} - {0}):
            words = _in_words(float(decay.last[mark]))
            # Said once a line is enough.
            words = words.removesuffix(LEFT) if LEFT in text and words.endswith(LEFT) else words
            text += f"{', ' * bool(text)}after {_counted(mark, lesson.unit)} {words}"
        yield f"{decay.cell + ':':<5} {text or f'no text is longer than one {lesson.unit}'}"


def _in_words(left: float) -> str:
    """A share of the gradient, in plain words."""
    if left >= 1.995:
        return f"it has grown {left:,.0f}-fold" if left < 1e6 else "it has grown more than a million-fold"
    if left < 1e-6:
        return "less than a millionth" + LEFT
    return (f"{left:.0%}" if left >= 0.0995 else f"{float(f'{left * 100:.1g}'):g}%") + LEFT


def chart(curves: Mapping[str, Floats], unit: str) -> list[str]:
    """Curves of one length on a logarithmic axis, a letter each: its cell's first; * where several meet."""
    length = len(next(iter(curves.values())))
    logs = {name: np.log10(np.clip(curve, _LEAST / 10, MOST * 10)) for name, curve in curves.items()}
    shown = [float(log) for each in logs.values() for log in each if _LEAST <= 10**log <= MOST]
    lines_a_decade = max(1, int(_ROWS // max(max(shown) - min(shown), 1)))
    top = max(math.ceil(max(shown) * lines_a_decade), 0)
    bottom = min(math.floor(min(shown) * lines_a_decade), -lines_a_decade)
    lines = {level: [" "] * _COLUMNS for level in range(top, bottom - 1, -1)}
    indices = _indices(length)
    for name, log in logs.items():
        for column, distance in indices:
            line = lines.get(round(float(log[distance]) * lines_a_decade))
            if line is not None:
                line[column] = name[0] if line[column] in (" ", name[0]) else SEVERAL
    drawn = [f"{_power(level, lines_a_decade):>6} │{''.join(line)}".rstrip() for level, line in lines.items()]
    foot = f"0{f'{_counted(length - 1, unit)} back':>{_COLUMNS - 1}}"
    letters = ", ".join(f"{name[0]} {name}" for name in curves)
    return [*drawn, f"{'':7}└{'─' * _COLUMNS}", f"{'':8}{foot}", f"{'':8}{letters}, {SEVERAL} several"]


def _indices(length: int) -> list[tuple[int, int]]:
    """Which distance stands in which column: each distance once, or each column one of many."""
    if length < _COLUMNS:
        return [(round(distance * (_COLUMNS - 1) / max(length - 1, 1)), distance) for distance in range(length)]
    return [(column, round(column * (length - 1) / (_COLUMNS - 1))) for column in range(_COLUMNS)]


def _power(level: int, lines_a_decade: int) -> str:
    if level % lines_a_decade:
        return ""
    return f"1e{level // lines_a_decade:+d}" if level else "1"
