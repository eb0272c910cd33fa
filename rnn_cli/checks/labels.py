"""What is odd about the labels: spellings, rare labels, imbalance."""

import re
import unicodedata
from collections import Counter
from itertools import combinations

from rnn_cli.checks.findings import Finding, Hit, Severity, counted
from rnn_cli.checks.rows import CheckedRows
from rnn_cli.data.label_lists import find_label_lists
from rnn_cli.data.label_spellings import same_but_for_case
from rnn_cli.errors import Setting

RARE_LABEL_ROWS = 20
"""A label of fewer rows can hardly be learned or measured: a tenth of them is one or two."""

IMBALANCE = 5.0
"""The finding appears when the most frequent label has this many times the rarest label's rows."""

MAX_LABELS_COMPARED = 300
"""Spellings of more labels are not compared: they are not a set of names, and there are too many pairs."""

RARER = 10
"""A misspelled label is at least this many times rarer than the intended one."""

LABEL_LISTS_HINT = "A text has one label here: keep one of them, or make a file for each label with yes and no."


def find_labels(rows: CheckedRows) -> list[Finding]:
    """The findings about labels."""
    counts = rows.label_counts()
    if not counts:
        hint = "Training needs at least two labels."
        return [Finding("one label", Severity.ERROR, "No row has a label.", hint)]
    findings = [*_spellings(rows, counts), *_lists(rows, counts)]
    if len(counts) == 1:
        what = f"Every row has the label {next(iter(counts))!r}."
        if rows.several:
            what = f"The only label is {next(iter(counts))!r}."
        hint = "Training needs at least two; check data.label_column."
        findings.insert(0, Finding("one label", Severity.ERROR, what, hint))
    rare = {label: None for label, count in counts.items() if count < RARE_LABEL_ROWS}
    if rare:
        findings.append(
            Finding(
                "rare labels",
                Severity.WARNING,
                f"{counted(len(rare), 'label has', 'labels have')} fewer than {RARE_LABEL_ROWS} rows: "
                f"{_listed([_quoted(label) for label in rare])}.",
                "Add rows, join labels, or remove these.",
                tuple(Hit(row) for row, names in enumerate(rows.label_sets) if rare.keys() & set(names)),
            )
        )
    (most, often), (least, seldom) = counts.most_common(1)[0], counts.most_common()[-1]
    if often >= IMBALANCE * seldom:
        findings.append(
            Finding(
                "imbalance",
                Severity.NOTE,
                f"{most!r} has {often / seldom:,.0f} times as many rows as {least!r} ({often:,} and {seldom:,}); "
                f"{often / len(rows):.1%} of the rows have {most!r}."
                if rows.several
                else f"always predicting {most!r} is right in {often / len(rows):.1%}.",
                Setting(
                    "training.class_weight",
                    "balanced",
                    "Look at macro F1, and try {} if rare labels matter as much.",
                ),
            )
        )
    return findings


def _spellings(rows: CheckedRows, counts: Counter[str]) -> list[Finding]:
    same = same_but_for_case(counts)
    similar = {label: other for label, other in _one_slip_away(counts).items() if label not in same}
    return [
        *_spelt(
            rows,
            counts,
            same,
            *("label spellings", Severity.ERROR, "like another spelling of one"),
            "Spell each label one way; every spelling counts as a label of its own.",
        ),
        *_spelt(
            rows,
            counts,
            similar,
            *("similar labels", Severity.NOTE, "a letter away from a much more frequent one"),
            "If it is a slip, correct it; if they are two labels, leave them.",
        ),
    ]


def _spelt(
    rows: CheckedRows, counts: Counter[str], meant: dict[str, str], name: str, severity: Severity, like: str, hint: str
) -> list[Finding]:
    if not meant:
        return []
    listed = _listed([f"{_shown(label)} ({counts[label]:,}) for {_shown(other)}" for label, other in meant.items()])
    verb = ("looks", "look") if severity is Severity.ERROR else ("is", "are")
    what = f"{counted(len(meant), f'label {verb[0]}', f'labels {verb[1]}')} {like}: {listed}."
    hits = (
        Hit(row, f"for {_shown(meant[label])}")
        for row, names in enumerate(rows.label_sets)
        for label in names
        if label in meant
    )
    return [Finding(name, severity, what, hint, tuple(hits))]


def _lists(rows: CheckedRows, counts: Counter[str]) -> list[Finding]:
    found = None if rows.several else find_label_lists(counts)
    if found is None:
        return []
    lists = set(found.labels)
    hits = tuple(Hit(row) for row, label in enumerate(rows.labels) if label in lists)
    return [Finding("label lists", Severity.WARNING, f"{found}.", LABEL_LISTS_HINT, hits)]


def _one_slip_away(counts: Counter[str]) -> dict[str, str]:
    """Much rarer labels that are one typing slip away from a frequent one; numbers are never slips."""
    if len(counts) > MAX_LABELS_COMPARED:
        return {}
    found: dict[str, str] = {}
    for (often, many), (seldom, few) in combinations(counts.most_common(), 2):
        words = min(len(often), len(seldom)) >= 4 and re.sub(r"\D", "", often) == re.sub(r"\D", "", seldom)
        if words and many >= RARER * few and one_slip(often.casefold(), seldom.casefold()):
            found.setdefault(seldom, often)
    return found


def one_slip(one: str, other: str) -> bool:
    """Whether two words differ only in one changed, missing or extra letter, or in two swapped ones."""
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return 0 < max(len(one), len(other)) <= 1 or (len(one) == 2 and one == other[::-1])


def _shown(label: str) -> str:
    """The label in quotes, with escapes where another spelling could look the same."""
    return repr(label) if unicodedata.normalize("NFKC", label) == label and label.isprintable() else ascii(label)


def _quoted(name: str) -> str:
    """The name, in quotes if its ends would be unclear."""
    return repr(name) if re.search(r"[\s,'\"]", name) or not name else name


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
