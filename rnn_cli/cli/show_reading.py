"""How a prediction grows along a text, and the states on the way, in lines of text."""

from collections.abc import Iterator, Sequence

import click
from rich.cells import cell_len

from rnn_cli.arrays import Floats32
from rnn_cli.cli.layout import NAME_CELLS, cut_to, padded, paragraph, terminal_width, to_json
from rnn_cli.cli.show_inspect import PIPE_CELLS, counted_tokens, visible, whole
from rnn_cli.inspection.reading import Growth
from rnn_cli.scoring.decision import UNSURE
from rnn_cli.text.plain import one_line
from rnn_cli.text.tokenizer import Tokenizer

UNITS = 12
"""Units of a direction in JSON."""

_ROWS, FEW_ROWS = 4, 2
"""Units of a direction that are shown: where all tokens have room beside each other, and where they wrap."""

LEVELS = "▁▂▃▄▅▆▇█"

_HEAD = 12
"""Cells before the columns, for what stands in them."""

BAR = 20
"""Cells of a bar of 100%."""

WORD_CELLS = 14
"""Of a token in a column of its own."""

FAINT = 0.25
"""Of a layer's largest state; what is nearer to zero has no colour."""


def growth_as_json(growth: Growth) -> None:
    """One JSON object."""
    click.echo(to_json(growth.to_dict(UNITS)))


def show_growth(growth: Growth, tokenizer: Tokenizer) -> None:
    """On a terminal in columns that wrap, a token each; in a pipe a line a token, and the states below."""
    terminal = terminal_width()
    click.echo(click.style("text", bold=True) + f"  {whole(growth.reading.text, terminal)}")
    click.echo(paragraph(counted_tokens(growth.reading, tokenizer), indent="") + "\n")
    if terminal is None:
        for line in (*_list(growth), "", *_narrow_states(growth)):
            click.echo(line)
    else:
        for line in _columns(growth, terminal):
            click.echo(line)
    for line in _sentences(growth):
        click.echo(paragraph(line, indent=""))


def _list(growth: Growth) -> Iterator[str]:
    """A line a token: its place, the token, the probability after it, a bar of it, what is predicted."""
    names = [_name(growth, index, NAME_CELLS) for index in range(len(growth.tokens))]
    cells = max(map(cell_len, names))
    for index, name in enumerate(names):
        line, prefix = f"{index + 1:>5,}  {padded(name, cells)}", growth.at.get(index)
        if prefix is not None:
            p = float(growth.probabilities[prefix, growth.label])
            line += f"  {p:6.1%}  {'█' * round(p * BAR):<{BAR}}  {_prediction(growth, prefix)}"
        yield line.rstrip()


def _narrow_states(growth: Growth) -> Iterator[str]:
    """Heat maps of a character a token."""
    if not growth.states:
        return
    for block in _fitting([1] * len(growth.tokens), PIPE_CELLS - _HEAD, gap=0):
        yield f"states at tokens {block[0] + 1:,} to {block[-1] + 1:,}"
        yield from _states(growth, block, [1] * len(growth.tokens), _ROWS, "")
        yield ""


def _columns(growth: Growth, terminal: int) -> Iterator[str]:
    """Tokens, probabilities, bars and states below each other; as many as the terminal is wide, then the next ones."""
    names = [_name(growth, index, WORD_CELLS) for index in range(len(growth.tokens))]
    widths = [max(cell_len(name), len("100%")) for name in names]
    blocks = list(_fitting(widths, terminal - _HEAD, gap=1))
    changes = growth.choices.min() != growth.choices.max() or bool(growth.unsure.any())
    for block in blocks:
        columns = [(index, growth.at.get(index), widths[index]) for index in block]
        yield _row("", [padded(names[index], width) for index, _, width in columns])
        percents = ["" if at is None else f"{growth.probabilities[at, growth.label]:.0%}" for _, at, _ in columns]
        cells = [f"{percent:<{width}}" for percent, (_, _, width) in zip(percents, columns, strict=True)]
        yield _row(growth.labels[growth.label], cells)
        yield _row("", [_bar(growth, prefix, width) for _, prefix, width in columns])
        if changes:
            yield _row("prediction", [_predictions(growth, columns)])
        yield from _states(growth, block, widths, _ROWS if len(blocks) == 1 else FEW_ROWS, " ")
        yield ""


def _fitting(widths: Sequence[int], room: int, *, gap: int) -> Iterator[range]:
    """The columns in runs that have room on a line, each of one at least."""
    start = 0
    while start < len(widths):
        stop, used = start, 0
        while stop < len(widths) and (stop == start or used + widths[stop] <= room):
            used += widths[stop] + gap
            stop += 1
        yield range(start, stop)
        start = stop


def _row(head: str, cells: Sequence[str], gap: str = " ") -> str:
    return (padded(cut_to(head, _HEAD - 1), _HEAD) + gap.join(cells)).rstrip()


def _name(growth: Growth, index: int, cells: int) -> str:
    """A token; ? marks an unknown one, … the place of what is cut from the middle before it."""
    token = growth.tokens[index]
    return "…" * (index == growth.gap) + cut_to(visible(token.text), cells) + "?" * (not token.known)


def _bar(growth: Growth, prefix: int | None, width: int) -> str:
    if prefix is None:
        return " " * width
    p = float(growth.probabilities[prefix, growth.label])
    follows = growth.choices[prefix] == growth.label
    colour = "yellow" if growth.unsure[prefix] else "green" if follows else "red"
    return click.style(_level(p) * width, fg=colour)


def _level(share: float) -> str:
    return LEVELS[min(int(share * len(LEVELS)), len(LEVELS) - 1)]


def _prediction(growth: Growth, prefix: int) -> str:
    return UNSURE if growth.unsure[prefix] else one_line(growth.labels[growth.choices[prefix]])


def _predictions(growth: Growth, columns: Sequence[tuple[int, int | None, int]]) -> str:
    """What is predicted, where it begins to be: each name as far as there is room until it changes."""
    line, before, start = "", "", 0
    for _, prefix, width in columns:
        now = before if prefix is None else _prediction(growth, prefix)
        if now != before:
            line = padded(cut_to(line, start - 1) if start else "", start) + now
        before, start = now, start + width + 1
    return cut_to(line, start - 1) if cell_len(line) >= start else line


def _states(growth: Growth, block: range, widths: Sequence[int], rows: int, gap: str) -> Iterator[str]:
    """A line a unit, those of a direction and layer together, the first layer first."""
    for states in growth.states:
        for unit in states.most_moved(rows):
            values: Floats32 = states.values[block.start : block.stop, unit] / (growth.scales[states.layer] or 1)
            cells = [_cell(float(value), widths[index]) for index, value in zip(block, values, strict=True)]
            yield _row(f"{states.layer} {'←' if states.backward else '→'} {unit}", cells, gap)


def _cell(value: float, width: int) -> str:
    """A state from -1 to 1, as a share of its layer's largest."""
    colour = None if abs(value) < FAINT else "red" if value > 0 else "blue"
    return click.style(_level((value + 1) / 2) * width, fg=colour) if colour else _level((value + 1) / 2) * width


def _sentences(growth: Growth) -> Iterator[str]:
    """What came of it, and how to read what is above."""
    unknown = "" if growth.known else " (no known word)"
    p = float(growth.probabilities[-1, growth.label])
    last, label = _prediction(growth, -1), one_line(growth.labels[growth.label])
    followed = f", {p:.1%}" if last == label else f"; {label} {p:.1%}"
    yield f"In the end: {last}{unknown}{followed}, as rnn predict says of the whole text."
    if len(growth.lengths) < len(growth.tokens):
        yield f"Scored are {len(growth.lengths):,} of the {len(growth.tokens):,} prefixes, evenly spread."
    if not growth.states:
        yield "A probability is that of the text up to there, scored by itself; a linear model has no states."
        return
    ends = ", ".join(f"layer {layer} ±{scale:.2g}" for layer, scale in growth.scales.items())
    yield f"States (layer, direction, unit; those that move most) from {LEVELS[0]} to {LEVELS[-1]}: {ends}."
    yield "A probability is that of the text up to there, scored by itself; no state holds it."
    backward = any(states.backward for states in growth.states)
    yield "States are of the whole text: → has read up to its token, " + (
        "← already the rest." if backward else "and knows no more."
    )
