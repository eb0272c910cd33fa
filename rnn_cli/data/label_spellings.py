"""Labels that are spellings of one another: "Good" beside "good " and "GOOD"."""

import re
import unicodedata
from collections import Counter, defaultdict
from decimal import Context, Decimal

_NUMBER = re.compile(r"[+-]?(?!0\d)(\d+\.?\d*|\.\d+)", re.ASCII)
"""A number, not a code such as 007."""


def same_but_for_case(counts: Counter[str]) -> dict[str, str]:
    """The rarer spellings of labels that differ only in case, white space, hyphens, full stops and invisible marks.

    Numbers of one value are the same: 1 and 1.0, but neither 1 and -1 nor 15 and 1.5.
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


def about_spellings(counts: Counter[str]) -> str | None:
    """One sentence about labels that are spelt in several ways; None where each is spelt in one."""
    same = same_but_for_case(counts)
    if not same:
        return None
    shown = ", ".join(f"{label[:40]!r} for {other[:40]!r}" for label, other in list(same.items())[:3])
    more = ", ..." if len(same) > 3 else ""
    looks = "label looks" if len(same) == 1 else "labels look"
    return f"{len(same):,} {looks} like another spelling of one: {shown}{more}"
