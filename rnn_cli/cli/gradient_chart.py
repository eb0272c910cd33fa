"""A gradient's decay on a terminal: a table, a chart of letters, a sentence a cell."""

import math
from collections.abc import Iterator, Mapping

import click

from rnn_cli.cli.layout import one_line
from rnn_cli.inspection.decay import Array, Lesson

COLUMNS, ROWS = 64, 15
"""The chart's size, at most, so that it stands on 80 columns."""

LEAST, MOST = 1e-7, 1e7
"""The chart's range, at most: beyond, a gradient is as good as nothing, or as everything."""

SEVERAL = "*"


def show_lesson(lesson: Lesson) -> None:
    """All there is to tell."""
    click.secho("What is left of the gradient on its way back from a text's end", bold=True)
    scaled = f", first recurrent weights × {lesson.scale:g}" if lesson.scale != 1 else ""
    click.echo(f"{counted(lesson.texts, 'training text')} of {counted(lesson.tokens, lesson.unit)} or more,", nl=False)
    click.echo(f" {one_line(lesson.source)}; one layer of {counted(lesson.units, 'unit')}{scaled}\n")
    for line in (*decay_table(lesson), "", *chart({each.cell: each.last for each in lesson.decays}, lesson.unit), ""):
        click.echo(line)
    if lesson.steps:
        click.echo(f"After {counted(lesson.steps, 'training step')}:")
    for line in sentences(lesson):
        click.echo(line)


def counted(number: int, noun: str) -> str:
    """A number and what it counts."""
    return f"{number:,} {noun}" + "s" * (number != 1)


def decay_table(lesson: Lesson) -> list[str]:
    """A row a distance, a column a cell; twice as many where the cells were trained."""
    cells = "".join(f"{each.cell:>9}" for each in lesson.decays)
    groups = [("untrained", [each.untrained for each in lesson.decays])]
    if trained := [each.trained for each in lesson.decays if each.trained is not None]:
        groups.append((f"after {counted(lesson.steps, 'step')}", trained))
    over = "".join(f"{name:>{len(cells)}}" for name, _ in groups)
    head = f"{lesson.unit + 's back':<14}" + cells * len(groups)
    rows = [
        f"{mark:>6,}        " + "".join(f"{figure(float(curve[mark])):>9}" for _, curves in groups for curve in curves)
        for mark in lesson.marks
    ]
    return [" " * 14 + over, head, "─" * len(head), *rows]


def figure(left: float) -> str:
    """A share of the gradient in two digits; 0 and ∞ are less and more than a 32-bit number holds."""
    if math.isinf(left):
        return "∞"
    return f"{left:.2f}" if 0.0995 <= left < 9.95 else f"{left:.2g}"


def sentences(lesson: Lesson) -> Iterator[str]:
    """What the figures say, a line a cell: at about twenty tokens back, and at the farthest row of the table."""
    near = max(mark for mark in lesson.marks if mark <= 20)
    far = max((mark for mark in lesson.marks[:-1] if mark > near), default=lesson.marks[-1])
    for decay in lesson.decays:
        said = [
            f"{counted(mark, lesson.unit)} back {in_words(float(decay.last[mark]))}"
            for mark in sorted({near, far})
            if mark
        ]
        yield f"{decay.cell + ':':<6}" + (", ".join(said) or f"no text is longer than one {lesson.unit}")


def in_words(left: float) -> str:
    """A share of the gradient, in plain words."""
    if left > 1e6:
        return "it has grown more than a million times"
    if left >= 2:
        return f"it has grown {left:,.0f} times" if left >= 10 else f"it has grown {left:.1f} times"
    if left >= 1e-4:
        return f"{left:.0%} is left" if left >= 0.0995 else f"{left * 100:.1g} % is left".replace(" %", "%")
    return "less than a millionth is left" if left < 1e-6 else "less than a ten-thousandth is left"


def chart(curves: Mapping[str, Array], unit: str) -> list[str]:
    """Curves of one length on a logarithmic axis, a letter each: its cell's first; * where several meet."""
    length = len(next(iter(curves.values())))
    values = [min(max(float(value), LEAST), MOST) for curve in curves.values() for value in curve]
    top, bottom = math.ceil(math.log10(max(values)) - 1e-9), math.floor(math.log10(min(values)) + 1e-9)
    top, bottom = max(top, 0), min(bottom, -1)
    step = max(1, ROWS // (top - bottom))  # lines a power of ten
    lines = [[" "] * (columns := min(COLUMNS, max(length, 2))) for _ in range((top - bottom) * step + 1)]
    for name, curve in curves.items():
        for column in range(columns):
            value = float(curve[round(column * (length - 1) / (columns - 1))])
            if LEAST <= value <= MOST and (value or value == 1):
                line = lines[round((top - math.log10(value)) * step)]
                line[column] = name[0] if line[column] in (" ", name[0]) else SEVERAL
    axis = [f"1e{top - row // step:+d}" if row % step == 0 else "" for row in range(len(lines))]
    axis = ["1" if mark == "1e+0" else mark for mark in axis]
    drawn = [f"{mark:>6} │{''.join(line).rstrip()}".rstrip() for mark, line in zip(axis, lines, strict=True)]
    key = ", ".join(f"{name[0]} {name}" for name in curves)
    right = f"{length - 1:,} {unit}s back"
    return [
        *drawn,
        " " * 7 + "└" + "─" * columns,
        f"{'':8}0{right:>{max(columns - 1, len(right) + 1)}}",
        f"{'':8}{key}, {SEVERAL} several",
    ]
