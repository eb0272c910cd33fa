"""Shows numbers and dates as a spreadsheet shows them, by the format code of their cell: #,##0.00 or yyyy-mm-dd.

In English: a point before decimals, a comma between thousands, English names of months. A code that is not understood
whole shows nothing, so that the caller can fall back in the open. Source of the codes: ECMA-376 part 1, 18.8.31.
Knows nothing of workbooks.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import partial
from typing import NamedTuple

_DIGITS = 15
"""Significant digits of a number in a spreadsheet."""

_WIDEST = 21
"""Digits before the point above which a number without a format gets an exponent."""

_MOST_CHARACTERS = 1_000
"""A longer code is not tried."""

_DAY = 86_400
_LAST_DAY = 2_958_465  # 9999-12-31
_LEAP_DAY = 60  # 1900-02-29, which never was, but spreadsheets count it


@dataclass(frozen=True)
class NumberFormat:
    """A cell's format: `show` gives a number's text, or None where the code cannot be followed exactly.

    `is_1904` says that days count from 1904, `is_system` that each computer shows it in its own way.
    """

    code: str
    show: Callable[[float], str | None]
    is_date: bool = False
    is_1904: bool = False
    is_system: bool = False

    def plain(self, number: float) -> str:
        """The number without its format: a date or a time in ISO 8601, where it can be one."""
        found = _moment(number, 0, self.is_1904) if self.is_date else None
        if found is None or (found.day is None and number >= 1):
            return general(number)
        moment = datetime.combine(found.day or date.min, time()) + timedelta(seconds=found.ticks)
        if found.day is None or number < 1:
            return moment.time().isoformat()
        return moment.isoformat() if found.ticks else found.day.isoformat()


def general(number: float) -> str:
    """A number without a format: 15 significant digits, as many as a spreadsheet holds, and no .0."""
    exact = Decimal(f"{number:.{_DIGITS}g}")
    if not exact:
        return "0"
    if not -5 < exact.adjusted() < _WIDEST:
        return f"{number:.{_DIGITS}G}"
    text = f"{exact:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_of_code(code: str, *, is_1904: bool = False, is_system: bool = False) -> NumberFormat:
    """The format of a code."""
    try:
        sections = _sections(code)
    except _Unknown:
        return NumberFormat(code, lambda _: None, _looks_like_date(code), is_1904)
    is_date = any(section.is_date for section in sections)
    if is_system:
        return NumberFormat(code, lambda _: None, is_date, is_1904, is_system)
    return NumberFormat(code, partial(_shown, sections=sections, is_1904=is_1904), is_date, is_1904)


class _Unknown(Exception):
    """A code holds what is not understood."""


class _Token(NamedTuple):
    kind: str
    text: str


_TOKEN = re.compile(
    r"""
      "(?P<quoted>[^"]*)"
    | \\(?P<escaped>.)
    | _(?P<space>.)
    | \*(?P<fill>.)
    | \[(?P<elapsed>h+|m+|s+)\]
    | \[(?P<bracket>[^\]]*)\]
    | (?P<general>General)
    | (?P<half>AM/PM|A/P)
    | (?P<exponent>E[+-])
    | (?P<date>y+|m+|d+|h+|s+)
    | (?P<digit>[0\#?])
    | (?P<mark>[.,%@;])
    | (?P<other>[^a-z0-9"\\\[\]_*])
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_COLOUR = re.compile(r"black|blue|cyan|green|magenta|red|white|yellow|color *\d+", re.IGNORECASE)
_CURRENCY = re.compile(r"\$(?P<sign>[^-]*)(-(?P<locale>.*))?", re.DOTALL)
_ENGLISH, _LANGUAGE = 0x09, 0x3FF  # the language in a locale's number


@dataclass(frozen=True)
class _Section:
    """A part of a code, for numbers of one sign; in English unless it names another language."""

    tokens: tuple[_Token, ...]
    is_english: bool

    @property
    def is_date(self) -> bool:
        return any(token.kind in ("date", "elapsed", "half") for token in self.tokens)


def _looks_like_date(code: str) -> bool:
    bare = re.sub(r'"[^"]*"|\\.|\[\$[^\]]*\]|General', "", code, flags=re.IGNORECASE)
    return re.search(r"[ymdhs]", bare, re.IGNORECASE) is not None and not re.search(r"[0#]", bare)


def _sections(code: str) -> list[_Section]:
    """A code's parts. Raises _Unknown."""
    if len(code) > _MOST_CHARACTERS:
        raise _Unknown
    parts: list[list[_Token]] = [[]]
    english = [True]
    at = 0
    while at < len(code):
        found = _TOKEN.match(code, at)
        if found is None:
            raise _Unknown
        at = found.end()
        kind, text = str(found.lastgroup), found[str(found.lastgroup)]
        if kind == "mark" and text == ";":
            parts.append([])
            english.append(True)
        elif kind == "bracket":
            text, is_english = _bracket(text)
            english[-1] &= is_english
            parts[-1].append(_Token("literal", text))
        elif kind in ("quoted", "escaped", "other"):
            parts[-1].append(_Token("slash" if kind == "other" and text == "/" else "literal", text))
        elif kind not in ("space", "fill"):  # which only align
            parts[-1].append(_Token(kind, text if kind == "mark" else text.lower()))
    if len(parts) > 4:
        raise _Unknown
    return [_Section(tuple(tokens), is_english) for tokens, is_english in zip(parts, english, strict=True)]


def _bracket(text: str) -> tuple[str, bool]:
    """What stands in brackets as a literal, and whether its language is English. Raises _Unknown."""
    if _COLOUR.fullmatch(text):
        return "", True
    found = _CURRENCY.fullmatch(text)
    if found is None:  # a condition, say
        raise _Unknown
    locale = found["locale"] or ""
    if not locale or locale.lower().startswith("en"):
        return found["sign"], True
    try:
        number = int(locale, 16)
    except ValueError:
        return found["sign"], False
    if number >> 16 or number & 0xF000 == 0xF000:  # another calendar, other digits, or the computer's own way
        raise _Unknown
    return found["sign"], number & _LANGUAGE == _ENGLISH


def _shown(number: float, sections: Sequence[_Section], is_1904: bool) -> str | None:
    """The number by the section for its sign; None where that is not understood."""
    signed = [section for section in sections[:3] if not any(token.text == "@" for token in section.tokens)]
    if not signed:  # a code for texts, which leaves numbers as they are
        return general(number) if len(sections) == 1 and len(sections[0].tokens) == 1 else None
    index = 1 if number < 0 else 2 if number == 0 else 0
    if sections[0] != signed[0] or (len(signed) < len(sections[:3]) and index and not signed[0].is_date):
        return None
    section = signed[index] if index < len(signed) else signed[0]
    sign = "-" if number < 0 and section is signed[0] else ""
    try:
        if section.is_date:
            return _date(number, section, is_1904)
        return (sign + _number(abs(number), section.tokens)).strip(" ") or None
    except (_Unknown, ArithmeticError):  # more digits than any sheet shows
        return None


def _number(number: float, tokens: Sequence[_Token]) -> str:
    """A number that is not negative by a section of digits and literals. Raises _Unknown."""
    kinds = [token.kind for token in tokens]
    if "slash" in kinds or not {"digit", "general"} & set(kinds):  # a fraction, or nothing of the number
        raise _Unknown
    if "general" in kinds:
        if {"digit", "mark", "exponent"} & set(kinds) or kinds.count("general") > 1:
            raise _Unknown
        return "".join(general(number) if token.kind == "general" else token.text for token in tokens)
    if "exponent" in kinds:
        return _with_exponent(number, tokens)
    last = max(index for index, kind in enumerate(kinds) if kind == "digit")
    points = [index for index, token in enumerate(tokens) if token == _Token("mark", ".")]
    if len(points) > 1:
        raise _Unknown
    point = points[0] if points else len(tokens)
    before = [index for index in range(point) if kinds[index] == "digit"]
    after = [index for index in range(point, len(tokens)) if kinds[index] == "digit"]
    commas = [index for index, token in enumerate(tokens) if token == _Token("mark", ",")]
    end = before[-1] if before else -1
    scaling = [index for index in commas if end < index < point or index > last]
    grouping = [index for index in commas if before and before[0] < index < end]
    if len(scaling) + len(grouping) < len(commas):
        raise _Unknown
    percents = sum(token == _Token("mark", "%") for token in tokens)
    with localcontext(prec=400):
        exact = Decimal(f"{number:.{_DIGITS}g}").scaleb(2 * percents - 3 * len(scaling))
        rounded = exact.quantize(Decimal(1).scaleb(-len(after)), ROUND_HALF_UP)
    whole, _, decimals = f"{rounded:f}".partition(".")
    shown = _placed(whole.lstrip("0"), tokens, before, bool(grouping))
    shown |= _decimals(decimals, tokens, after)
    if points and not before:  # .00
        shown[point] = whole.lstrip("0") + "."
    return "".join(
        shown.get(index, "") if index in shown or token.kind == "digit" or token.text == "," else token.text
        for index, token in enumerate(tokens)
    )


def _placed(digits: str, tokens: Sequence[_Token], places: Sequence[int], grouped: bool) -> dict[int, str]:
    """The digits before the point at their places, filled from the right; the first place takes all that are left."""
    if not places and digits and not any(token == _Token("mark", ".") for token in tokens):
        raise _Unknown
    shown: dict[int, str] = {}
    count = 0
    for place in reversed(places):
        is_first = place == places[0]
        taken = digits if is_first else digits[-1:]
        digits = "" if is_first else digits[:-1]
        if not taken and tokens[place].text == "0":
            taken = "0"
        text = ""
        for digit in reversed(taken):
            if grouped and count and count % 3 == 0:
                text = "," + text
            text = digit + text
            count += 1
        shown[place] = text
    return shown


def _decimals(digits: str, tokens: Sequence[_Token], places: Sequence[int]) -> dict[int, str]:
    """The digits behind the point at their places; zeros at the end only where the code asks for them."""
    shown: dict[int, str] = {}
    is_wanted = False
    for place, digit in zip(reversed(places), reversed(digits), strict=True):
        is_wanted = is_wanted or digit != "0" or tokens[place].text == "0"
        shown[place] = digit if is_wanted else ""
    return shown


_SCIENTIFIC = re.compile(r"0(\.(?P<decimals>0*))?e(?P<sign>[+-])(?P<exponent>0+)")


def _with_exponent(number: float, tokens: Sequence[_Token]) -> str:
    code = "".join(token.text for token in tokens)
    found = _SCIENTIFIC.fullmatch(code)
    if found is None or any(token.kind == "literal" for token in tokens):
        raise _Unknown
    with localcontext(rounding=ROUND_HALF_UP):
        mantissa, _, exponent = f"{Decimal(f'{number:.{_DIGITS}g}'):.{len(found['decimals'] or '')}E}".partition("E")
    power = int(exponent) if number else 0
    sign = "-" if power < 0 else "+" if found["sign"] == "+" else ""
    return f"{mantissa}E{sign}{abs(power):0{len(found['exponent'])}}"


class _Moment(NamedTuple):
    """A day, None where it has none, the ticks since midnight, and all ticks; a second has ten to some power."""

    day: date | None
    ticks: int
    all_ticks: int
    has_weekday: bool


def _moment(number: float, decimals: int, is_1904: bool) -> _Moment | None:
    """The moment of a count of days, rounded to that many decimals of a second; None where it can be none."""
    if not 0 <= number < _LAST_DAY + 1:
        return None
    a_day = _DAY * 10**decimals
    exact = Decimal(f"{number:.{_DIGITS + 2}g}") * a_day
    ticks = int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    days, rest = divmod(ticks, a_day)
    if is_1904:
        day = date(1904, 1, 1) + timedelta(days) if days <= _LAST_DAY - 1462 else None
    elif days in (0, _LEAP_DAY) or days > _LAST_DAY:
        day = None
    else:
        day = date(1899, 12, 30 if days > _LEAP_DAY else 31) + timedelta(days)
    return _Moment(day, rest, ticks, is_1904 or days > _LEAP_DAY)


_MONTHS = "January February March April May June July August September October November December".split()
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def _date(number: float, section: _Section, is_1904: bool) -> str:
    """A number as a date or a time. Raises _Unknown."""
    tokens = _with_fractions(section.tokens)
    decimals = max((len(token.text) - 1 for token in tokens if token.kind == "fraction"), default=0)
    found = _moment(number, decimals, is_1904)
    if found is None:
        raise _Unknown
    has_half = any(token.kind == "half" for token in tokens)
    parts = [index for index, token in enumerate(tokens) if token.kind in ("date", "elapsed")]
    shown = []
    for index, token in enumerate(tokens):
        if token.kind == "date":
            at = parts.index(index)
            before = tokens[parts[at - 1]].text[0] if at else ""
            after = tokens[parts[at + 1]].text[0] if at + 1 < len(parts) else ""
            is_minute = token.text[0] == "m" and (before == "h" or after == "s")
            shown.append(_part(token.text, found, 10**decimals, is_minute, has_half, section.is_english))
        elif token.kind == "elapsed":
            unit = {"h": 3_600, "m": 60, "s": 1}[token.text[0]]
            shown.append(f"{found.all_ticks // (unit * 10**decimals):0{len(token.text)}}")
        elif token.kind == "half":
            if not section.is_english:
                raise _Unknown
            shown.append(("AM" if found.ticks < _DAY * 10**decimals // 2 else "PM")[: 2 if "m" in token.text else 1])
        elif token.kind == "fraction":
            rest = found.ticks % 10**decimals
            shown.append("." + f"{rest:0{decimals}}"[: len(token.text) - 1])
        elif token.kind in ("literal", "slash") or token.text in (".", ","):
            shown.append(token.text)
        else:
            raise _Unknown
    return "".join(shown).strip(" ")


def _with_fractions(tokens: Sequence[_Token]) -> list[_Token]:
    """The tokens with the point and the zeros behind seconds as one."""
    joined: list[_Token] = []
    for token in tokens:
        last = joined[-1] if joined else None
        if last is not None and token.kind == "digit" and token.text == "0":
            if last.kind == "fraction" and len(last.text) <= 3:
                joined[-1] = _Token("fraction", last.text + "0")
                continue
            if last.text == "." and len(joined) > 1 and joined[-2].text[:1] == "s":
                joined[-1] = _Token("fraction", ".0")
                continue
        joined.append(token)
    return joined


def _part(letters: str, found: _Moment, per_second: int, is_minute: bool, has_half: bool, is_english: bool) -> str:
    """One part of a date or a time, as yyyy or mm. Raises _Unknown."""
    letter, width = letters[0], len(letters)
    if letter in "hs" or is_minute:
        seconds = found.ticks // per_second
        hour, minute, second = seconds // 3_600, seconds // 60 % 60, seconds % 60
        value = {"h": (hour % 12 or 12) if has_half else hour, "m": minute, "s": second}[letter]
        if width > 2:
            raise _Unknown
        return f"{value:0{width}}"
    day = found.day
    if day is None:
        raise _Unknown
    if letter == "y":
        return f"{day.year:04}" if width > 2 else f"{day.year % 100:02}"
    if width <= 2:
        return f"{day.month if letter == 'm' else day.day:0{width}}"
    if not is_english or (letter == "d" and not found.has_weekday):
        raise _Unknown
    name = _MONTHS[day.month - 1] if letter == "m" else _WEEKDAYS[day.weekday()]
    return {3: name[:3], 5: name[0] if letter == "m" else name}.get(width, name)
