"""Which column holds the texts and which the labels: as named, or found by name when that is beyond doubt.

Knows column names only, no file and no row.
"""

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

from rnn_cli.data.reading.bounds import MOST_COLUMNS, too_many_columns
from rnn_cli.data.reading.request import ReadRequest
from rnn_cli.errors import DataError, quoted

# The first name of each list wins over the others; among the others there must be only one.
TEXT_NAMES = (
    *("text", "review", "sentence", "tweet", "comment", "content", "message", "body", "document"),
    *("texts", "reviews", "sentences", "tweets", "comments", "review_text", "tweet_text", "comment_text"),
)
LABEL_NAMES = (
    *("label", "sentiment", "class", "category", "target", "topic", "polarity"),
    *("labels", "sentiments", "classes", "categories"),
)
_SHOWN = 20  # names in a message, at most; and
_SHOWN_LENGTH = 40  # characters of each
_COMPARED = 1000  # names that one which is missing is held against, at most


def find_columns(columns: Sequence[str], request: ReadRequest) -> tuple[str, str | None]:
    """Names of the columns of texts and of labels (None when labels are not wanted).

    Raises DataError, with all columns listed, when one is missing, doubled or not to be told from others.
    """
    refuse_doubled(columns, request)
    text, label = request.text_column, request.label_column if request.labels else None
    if text is not None and text == label:
        raise DataError(
            f"the column {text!r} cannot be both texts and labels",
            where=request.name,
            mend="name another data.text_column or data.label_column",
        )
    for name, key in ((text, "text_column"), (label, "label_column")):
        if name is not None and name not in columns:
            raise _missing(name, columns, key, request)
    if text is None:
        text = _likely(columns, request) or _guess(columns, TEXT_NAMES, "text", label, request)
    if request.labels and label is None:
        label = _guess(columns, LABEL_NAMES, "label", text, request)
    if request.on_columns:
        request.on_columns((text, label))
    return text, label


def _likely(columns: Sequence[str], request: ReadRequest) -> str | None:
    """The column of texts where that is beyond doubt, whatever it is called."""
    if request.likely_text_column in columns:
        return request.likely_text_column
    return columns[0] if len(columns) == 1 and not request.labels else None


def refuse_doubled(columns: Sequence[str], request: ReadRequest) -> None:
    """Raise DataError where two columns have one name, or there are too many of them."""
    if len(columns) > MOST_COLUMNS:
        raise too_many_columns(request.name)
    doubled = [name for name, count in Counter(columns).items() if count > 1 and name]
    if doubled:
        raise DataError(
            f"the column {show(doubled[:1])} appears twice (columns: {show(columns)})",
            where=request.name,
            mend="give each column a name of its own",
        )


def show(names: Iterable[str]) -> str:
    """Names for a message: quoted, on one line, none too long and not too many."""
    names = list(names)
    shown = [repr(name if len(name) <= _SHOWN_LENGTH else name[:_SHOWN_LENGTH] + "...") for name in names[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant, if one is near; upper and lower case count as near."""
    by_lower = {candidate.strip().lower(): candidate for candidate in islice(names, _COMPARED)}
    close = difflib.get_close_matches(name.strip().lower(), by_lower, n=1)
    return by_lower[close[0]] if close else None


def _missing(name: str, columns: Sequence[str], key: str, request: ReadRequest) -> DataError:
    meant = nearest(name, columns)
    mend = f"did you mean --set data.{key}={quoted(meant)}?" if meant else f"use --set data.{key}=NAME with one of them"
    return DataError(f"no column {name!r} (columns: {show(columns)})", where=request.name, mend=mend)


def _guess(columns: Sequence[str], names: Sequence[str], what: str, taken: str | None, request: ReadRequest) -> str:
    candidates = [name for name in columns if name != taken and name.strip().lower() in names]
    first = [name for name in candidates if name.strip().lower() == names[0]]
    for certain in (first, candidates):
        if len(certain) == 1:
            return certain[0]
    if candidates:
        found = f"{len(candidates)} columns may be the {what}s: {show(candidates)}"
    else:
        found = f"no column is known to hold {what}s (columns: {show(columns)})"
    raise DataError(found, where=request.name, mend=f"use --set data.{what}_column=NAME")
