"""What is odd about the labels as such: spellings, rare ones, imbalance. Knows nothing of texts."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Context, Decimal
from itertools import combinations

from rnn_cli.checks.findings import Finding, Hit, Severity, counted
from rnn_cli.checks.rows import Rows

FEW_ROWS = 20
"""A label of fewer rows can hardly be learned, and not be measured: a tenth of them is one or two."""

IMBALANCE = 5.0
"""From this many times the rarest label's rows on, the most frequent one's are told."""

MOST_LABELS = 300
"""Of more labels no near spellings are looked for: they are no set of names, and pairs are many."""

RARER = 10
"""How many times rarer a near spelling is than what was meant."""


_NUMBER = re.compile(r"[+-]?(?!0\d)(\d+\.?\d*|\.\d+)", re.ASCII)
"""A number, not a code such as 007."""


def find_labels(rows: Rows) -> Iterator[Finding]:
    """The findings about labels."""
    counts = Counter(rows.labels)
    if len(counts) == 1:
        yield Finding(
            "one label",
            Severity.ERROR,
            f"Every row has the label {rows.labels[0]!r}.",
            "Training needs at least two; check data.label_column.",
        )
    yield from _spellings(rows, counts)
    rare = [label for label, count in counts.items() if count < FEW_ROWS]
    if rare:
        told = _listed([_quoted(label) for label in rare])
        yield Finding(
            "rare labels",
            Severity.WARNING,
            f"{counted(len(rare), 'label has', 'labels have')} fewer than {FEW_ROWS} rows: {told}.",
            "Add rows, join labels, or remove these.",
            tuple(Hit(row) for row, label in enumerate(rows.labels) if label in set(rare)),
        )
    (most, often), (least, seldom) = counts.most_common(1)[0], counts.most_common()[-1]
    if often >= IMBALANCE * seldom:
        yield Finding(
            "imbalance",
            Severity.NOTE,
            f"{most!r} has {often / seldom:,.0f} times as many rows as {least!r} ({often:,} and {seldom:,}); "
            f"always answering {most!r} is right in {often / len(rows):.1%}.",
            "Look at macro F1, and try --set training.class_weight=balanced if rare labels matter as much.",
        )


def _spellings(rows: Rows, counts: Counter[str]) -> Iterator[Finding]:
    meant = _same_but_for_case(counts) | _one_slip_away(counts)
    if meant:
        told = _listed([f"{_shown(label)} ({counts[label]:,}) for {_shown(other)}" for label, other in meant.items()])
        yield Finding(
            "label spellings",
            Severity.ERROR,
            f"{counted(len(meant), 'label looks', 'labels look')} like another spelling of one: {told}.",
            "Spell each label one way; every spelling counts as a label of its own.",
            tuple(Hit(row, f"for {_shown(meant[label])}") for row, label in enumerate(rows.labels) if label in meant),
        )


def _same_but_for_case(counts: Counter[str]) -> dict[str, str]:
    """The rarer spellings of labels that differ by case, white space, hyphens, full stops and unseen marks only.

    Of numbers, those of one value are the same: 1 and 1.0, but neither 1 and -1 nor 15 and 1.5.
    """
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for label, _ in counts.most_common():
        alike[_meant(label)].append(label)
    return {label: labels[0] for labels in alike.values() for label in labels[1:]}


def _meant(label: str) -> str:
    seen = "".join(each for each in unicodedata.normalize("NFKC", label) if unicodedata.category(each) != "Cf")
    if _NUMBER.fullmatch(seen.strip()):
        return str(Decimal(seen.strip()).normalize(Context(prec=len(seen))))
    return re.sub(r"[\s_.\-]+", " ", seen.casefold()).strip() or label


def _one_slip_away(counts: Counter[str]) -> dict[str, str]:
    """Much rarer labels that one slip of the finger parts from a frequent one; numbers are never slips."""
    if len(counts) > MOST_LABELS:
        return {}
    found: dict[str, str] = {}
    for (often, many), (seldom, few) in combinations(counts.most_common(), 2):
        words = min(len(often), len(seldom)) >= 4 and re.sub(r"\D", "", often) == re.sub(r"\D", "", seldom)
        if words and many >= RARER * few and one_slip(often.casefold(), seldom.casefold()):
            found.setdefault(seldom, often)
    return found


def one_slip(one: str, other: str) -> bool:
    """Whether a letter that is changed, missing, too many, or two that are swapped, is all that parts two words."""
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return 0 < max(len(one), len(other)) <= 1 or (len(one) == 2 and one == other[::-1])


def _shown(label: str) -> str:
    """The label in quotes, letters written out where another spelling could look the same."""
    return repr(label) if unicodedata.normalize("NFKC", label) == label and label.isprintable() else ascii(label)


def _quoted(name: str) -> str:
    """The name, in quotes if one could not tell where it ends or begins."""
    return repr(name) if re.search(r"[\s,'\"]", name) or not name else name


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
