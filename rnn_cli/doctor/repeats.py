"""Texts that are there more than once, exactly or nearly: within a side, across sides, under different labels."""

from collections.abc import Iterable, Iterator, Sequence

from rnn_cli.data.stratify import group_equal
from rnn_cli.doctor.findings import LEAKS, Finding, Hit, Severity, counted
from rnn_cli.doctor.near import near_duplicates
from rnn_cli.doctor.rows import WHOLE, Rows
from rnn_cli.doctor.words import Words


def find_repeats(rows: Rows, words: Words) -> Iterator[Finding]:
    """The findings about repeated texts; `words` are those of `rows`."""
    equal = [group for group in group_equal(rows.texts).values() if len(group) > 1 and rows.texts[group[0]].strip()]
    near = [_first_of_each(rows, group) for group in near_duplicates(words)]
    near = [group for group in near if len({rows.texts[row] for row in group}) > 1]
    leaked, repeated = _parted(rows, equal, "repeats")
    nearly_leaked, nearly_repeated = _parted(rows, near, "nearly repeats")
    told = {hit.row for hit in leaked}
    nearly_leaked = [hit for hit in nearly_leaked if hit.row not in told]
    dealt = "Equal texts are kept on one side; near ones are not."
    yield from _found(
        LEAKS[0],
        Severity.ERROR,
        leaked,
        f"{_standing(leaked, '')} on an earlier side too, so figures look too good.",
        "Remove them from one of the files.",
    )
    yield from _found(
        LEAKS[1],
        Severity.WARNING,
        nearly_leaked,
        f"{_standing(nearly_leaked, 'nearly ')} on an earlier side too. {dealt}",
        "Keep one of each kind, if they are copies and not set phrases.",
    )
    for name, severity, groups, alike in (
        ("contradicting labels", Severity.ERROR, equal, "Equal texts"),
        ("nearly contradicting labels", Severity.WARNING, near, "Nearly equal texts"),
    ):
        torn = [group for group in groups if len({rows.labels[row] for row in group}) > 1]
        yield from _found(
            name,
            severity,
            [hit for group in torn for hit in _contradictions(rows, group)],
            f"{alike} have different labels: {counted(sum(map(len, torn)), 'row')} of "
            f"{counted(len(torn), 'such text')}.",
            "Decide on one label for each, or remove them: they teach nothing.",
        )
    yield from _found(
        "duplicates",
        Severity.WARNING,
        repeated,
        f"{counted(len(repeated), 'row repeats', 'rows repeat')} an earlier text exactly.",
        "Keep one of each: copies weigh more than other texts.",
    )
    yield from _found(
        "near duplicates",
        Severity.NOTE,
        nearly_repeated,
        f"{counted(len(nearly_repeated), 'row repeats', 'rows repeat')} most of an earlier text."
        + (f" {dealt}" if WHOLE in rows.sides else ""),
        "Keep one of each, if they are copies and not set phrases.",
    )


def _found(name: str, severity: Severity, hits: Sequence[Hit], what: str, mend: str) -> Iterator[Finding]:
    if hits:
        yield Finding(name, severity, what, mend, tuple(hits))


def _standing(leaked: Sequence[Hit], how: str) -> str:
    kept = "validation or test text"
    return counted(len(leaked), f"{kept} {how}stands", f"{kept}s {how}stand")


def _first_of_each(rows: Rows, group: Sequence[int]) -> list[int]:
    """Of a group's rows, the first of each text on each side."""
    first: dict[tuple[str, str], int] = {}
    for row in group:
        first.setdefault((rows.texts[row], rows.side_of[row]), row)
    return list(first.values())


def _parted(rows: Rows, groups: Iterable[Sequence[int]], what: str) -> tuple[list[Hit], list[Hit]]:
    """Rows that repeat one of an earlier side, and rows that repeat one of their own, each told which."""
    across: dict[int, Hit] = {}
    within: dict[int, Hit] = {}
    for group in groups:
        first: dict[str, int] = {}
        for row in group:
            side = rows.side_of[row]
            if side in first:
                within[row] = Hit(row, f"{what} {rows.where(first[side])}")
            for other, earlier in first.items():
                if other != side:
                    across.setdefault(row, Hit(row, f"{side}; {what} {rows.where(earlier)} ({other})"))
            first.setdefault(side, row)
    return [across[row] for row in sorted(across)], [within[row] for row in sorted(within)]


def _contradictions(rows: Rows, group: Sequence[int]) -> Iterator[Hit]:
    for row in group:
        other = next(each for each in group if rows.labels[each] != rows.labels[row])
        yield Hit(row, f"{rows.where(other)} says {rows.labels[other]}")
