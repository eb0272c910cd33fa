"""How a wrong answer's text is shown: which of its words are marked, and how much of a long text."""

from collections.abc import Sequence

from rnn_cli.reporting.report import Mistake
from rnn_cli.scoring.explain import Part

STEPS = 4
"""Degrees in which a word may be marked."""

LEAST_SHARE = 0.08
"""Of the weight of a text's strongest part: what has less is not marked."""

LONG = 420
"""Characters from which on a text is folded."""

EXCERPT = 300
"""Characters of it that are shown."""

MOST_SHOWN = 6_000
"""Characters of it that can be unfolded."""

Piece = tuple[str, str]
"""Some of a text, and what it is: "for s4" (the strongest that spoke for the answer), "against s1", "unread", or ""."""


def marked(text: str, parts: Sequence[Part], start: int, stop: int) -> list[Piece]:
    """text[start:stop] in pieces: each part by how strongly it spoke for the answer, or against it.

    What holds letters or digits but stands in no part was not read; it is set apart, too.
    """
    strongest = max((abs(part.weight) for part in parts), default=0.0)
    pieces, index = list[Piece](), start
    for part in parts:
        if part.end <= start or part.start >= stop:
            continue
        begin, end = max(part.start, start), min(part.end, stop)
        pieces += [_between(text[index:begin]), (text[begin:end], _spoke(part.weight, strongest))]
        index = end
    rest = text[index:stop]
    pieces.append(_between(rest) if parts else (rest, ""))
    return [piece for piece in pieces if piece[0]]


def _spoke(weight: float, strongest: float) -> str:
    share = abs(weight) / strongest if strongest else 0.0
    if share < LEAST_SHARE:
        return ""
    return f"{'for' if weight > 0 else 'against'} s{min(STEPS, 1 + int(STEPS * share))}"


def _between(text: str) -> Piece:
    return text, "unread" if any(map(str.isalnum, text)) else ""


def excerpt(mistake: Mistake) -> tuple[int, int] | None:
    """Where the part of a long text begins and ends that is shown first, about its strongest word; None of others.

    It ends at spaces where there are some near.
    """
    text = mistake.text
    if len(text) <= LONG:
        return None
    strongest = max(mistake.parts, key=lambda part: part.weight, default=None)
    middle = 0 if strongest is None else (strongest.start + strongest.end) // 2
    start = min(max(0, middle - EXCERPT // 2), len(text) - EXCERPT)
    stop = start + EXCERPT
    start = text.find(" ", start, start + 30) + 1 or start if start else 0
    space = text.rfind(" ", stop - 30, stop)
    return start, space if space > start and stop < len(text) else stop
