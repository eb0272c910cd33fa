"""Texts that occur more than once, exactly or nearly: within a side, across sides, with different labels."""

from collections.abc import Iterable, Iterator, Sequence

from rnn_cli.checks.findings import LEAKS, Finding, Hit, Severity, counted, finding_if
from rnn_cli.checks.rows import WHOLE, CheckedRows
from rnn_cli.copies.near import near_copies
from rnn_cli.data.together import group_equal
from rnn_cli.text.typography import plainest


def find_repeats(rows: CheckedRows) -> list[Finding]:
    """The findings about repeated texts; typography and white space make no difference."""
    plain = [plainest(text) for text in rows.texts]
    equal = [group for group in group_equal(plain).values() if len(group) > 1 and plain[group[0]]]
    near = [_first_of_each(rows, plain, group) for group in near_copies(rows.texts)]
    near = [group for group in near if len({plain[row] for row in group}) > 1]
    leaked, repeated = _across_and_within(rows, equal, "repeats")
    nearly_leaked, nearly_repeated = _across_and_within(rows, near, "nearly repeats")
    known = {hit.row for hit in leaked}
    kept = "validation or test text"
    contradictions: list[Finding] = []
    kind = "number" if rows.number else "label"
    said = rows.numbers.__getitem__ if rows.number else rows.labels.__getitem__
    for name, severity, groups, alike in (
        (f"contradicting {kind}s", Severity.WARNING if rows.number else Severity.ERROR, equal, "with equal texts"),
        (f"nearly contradicting {kind}s", Severity.WARNING, near, "with nearly equal texts"),
    ):
        torn = [group for group in groups if len({said(row) for row in group}) > 1]
        contradictions += finding_if(
            [hit for group in torn for hit in _contradictions(rows, group)],
            *(name, severity, ("row", "rows"), f"{alike} have different {kind}s ({counted(len(torn), 'text')})."),
            f"Decide on one {kind} for each text, or remove them: they teach nothing.",
        )
    return [
        *finding_if(
            leaked,
            *(LEAKS[0], Severity.ERROR, (f"{kept} is", f"{kept}s are")),
            "also on an earlier side, so metrics look too good.",
            "Remove them from one of the files.",
        ),
        *finding_if(
            [hit for hit in nearly_leaked if hit.row not in known],
            *(LEAKS[1], Severity.WARNING, (f"{kept} is", f"{kept}s are")),
            "nearly the same as a text on an earlier side.",
            "Keep one of each kind, if they are copies and not set phrases.",
        ),
        *contradictions,
        *finding_if(
            repeated,
            *("duplicates", Severity.WARNING, ("row repeats", "rows repeat"), "an earlier text."),
            "Keep one of each: copies weigh more than other texts.",
        ),
        *finding_if(
            nearly_repeated,
            *("near duplicates", Severity.NOTE, ("row repeats", "rows repeat")),
            "most of an earlier text." + (" Splitting keeps them on one side." if WHOLE in rows.sides else ""),
            "Keep one of each, if they are copies and not set phrases.",
        ),
    ]


def _first_of_each(rows: CheckedRows, plain: Sequence[str], group: Sequence[int]) -> list[int]:
    """The first row of each text on each side of a group."""
    first: dict[tuple[str, str], int] = {}
    for row in group:
        first.setdefault((plain[row], rows.side_of[row]), row)
    return list(first.values())


def _across_and_within(rows: CheckedRows, groups: Iterable[Sequence[int]], repeats: str) -> tuple[list[Hit], list[Hit]]:
    """The rows that repeat a row of an earlier side, and those that repeat one of their own; notes say which."""
    across: dict[int, Hit] = {}
    within: dict[int, Hit] = {}
    for group in groups:
        first: dict[str, int] = {}
        for row in group:
            side = rows.side_of[row]
            if side in first:
                within[row] = Hit(row, f"{repeats} {rows.where(first[side])}")
            for other, earlier in first.items():
                if other != side:
                    across.setdefault(row, Hit(row, f"{side}; {repeats} {rows.where(earlier)} ({other})"))
            first.setdefault(side, row)
    return [across[row] for row in sorted(across)], [within[row] for row in sorted(within)]


def _contradictions(rows: CheckedRows, group: Sequence[int]) -> Iterator[Hit]:
    for row in group:
        other = next(each for each in group if rows.labels[each] != rows.labels[row])
        yield Hit(row, f"{rows.where(other)} says {rows.labels[other]}")
