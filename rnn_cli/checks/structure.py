"""What is wrong with a file as a table; reads it as far as it can be read. Prints nothing.

A file that training would refuse is read again as the error's hint says, and without its faulty rows.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from rnn_cli.checks.findings import Finding, Severity, counted
from rnn_cli.config.schema import DataConfig
from rnn_cli.data.numbers import no_number, number_in
from rnn_cli.data.reading.blocks import Block
from rnn_cli.data.reading.header import RowAsHeader
from rnn_cli.data.reading.names import format_of
from rnn_cli.data.reading.preamble import Preamble
from rnn_cli.data.reading.readers import open_blocks
from rnn_cli.data.reading.records import QuoteTrouble
from rnn_cli.data.reading.table import NoUsualName, ReadAs, ReadRequest
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import IN_MEMORY, is_builtin, load_rows, reading_keys
from rnn_cli.errors import DataError, FaultKind, Setting

_TRIES = 5
_LISTED = 5

_KINDS: Mapping[FaultKind | None, tuple[str, str]] = {
    "ragged": ("ragged rows", "with another number of fields than the header"),
    "nul": ("NUL characters", "with NUL characters"),
    "encoding": ("encoding", "with bytes that are not of the file's encoding"),
    "no label": ("missing labels", "without a label"),
    "no number": ("no numbers", "whose label is no number"),
}
"""A fault's kind, and the finding about it."""


def read_whole(source: str, config: DataConfig) -> tuple[Dataset, tuple[Finding, ...]]:
    """All rows of a built-in set or a file that can be read, and what is wrong with the file.

    Raises DataError for a source that is no table at all, or cannot be read twice.
    """
    try:
        return load_rows(source, config), _marks(source)
    except DataError as error:
        if is_builtin(source) or not os.path.isfile(source):
            raise
        return _as_far_as_possible(source, config, error)


def _as_far_as_possible(source: str, config: DataConfig, first: DataError) -> tuple[Dataset, tuple[Finding, ...]]:
    how = reading_keys(source, config)
    findings = list(_marks(source))
    error, marks = first, len(findings)
    for _ in range(_TRIES):
        if name := _name(error):
            findings.append(_finding(error, name))
            settings = _settings(error)
            if settings.items() <= how.items():
                break
            how |= settings
        elif error is not first:
            findings.append(_finding(error, "file"))
            break
        try:
            dataset, faults = _read(source, how, numbers=config.number)
        except DataError as caught:
            error = caught
        else:
            if not faults and len(findings) == marks:
                break  # it has no rows at all
            return dataset, (*findings, *_of_faults(faults, source))
    if len(findings) == marks or not any(map(_name, (first, error))):
        raise first
    return Dataset(source, [], [], [], source), tuple(findings)


def unit_of(file: str) -> str:
    """What is counted in a file: lines, or the rows of what has no lines."""
    return "row" if file == IN_MEMORY or is_builtin(file) or format_of(file) in ("parquet", "xlsx") else "line"


def _settings(error: DataError) -> dict[str, Any]:
    """The keys that the error's hint would set, as far as it knows their values."""
    hint = error.hint
    if not isinstance(hint, Setting):
        return {}
    pairs = ((hint.key, hint.value), *hint.also)
    values: dict[str, Any] = {"false": False, "true": True}
    return {
        key.partition(".")[2]: values.get(value, value.strip("'"))
        for key, value in pairs
        if key.startswith("data.") and value not in ("NAME", "N")
    }


def _read(source: str, how: dict[str, Any], *, numbers: bool) -> tuple[Dataset, dict[int, DataError]]:
    """The rows that can be read, and the faults of the others by line."""
    found: list[ReadAs] = []
    faults: dict[int, DataError] = {}
    texts: list[str] = []
    labels: list[str] = []
    lines: list[int] = []
    request = ReadRequest(source, **how, lenient=True, on_read_as=found.append)
    with open_blocks(request) as opened:
        for block in opened.blocks:
            for line, text, label, fault in _rows(block):
                if fault is None and not (label and label.strip()):
                    fault = DataError("no label", where=request.at(line), kind="no label")
                if fault is None and numbers and number_in(label or "") is None:
                    fault = no_number(label or "", request.at(line))
                if fault is not None:
                    faults[line] = fault
                    continue
                lines.append(line)
                texts.append(text)
                labels.append(label or "")
    read_as = found[0] if found else ReadAs()
    rows = Dataset(request.name, texts, labels, lines, source, reading=read_as.settings, notes=read_as.notes)
    rows = replace(rows, several=request.several, number=numbers)
    return rows, faults


def _rows(block: Block) -> Iterator[tuple[int, str, str | None, DataError | None]]:
    texts, *labels = block.columns  # of objects that are all broken no label is known
    rows = zip(block.lines, texts, labels[0] if labels else texts, strict=True)
    for index, (line, text, label) in enumerate(rows):
        yield line, text, label, block.faults.get(index)


def _of_faults(faults: dict[int, DataError], source: str) -> Iterator[Finding]:
    by_kind: dict[tuple[str, str], list[int]] = {}
    for line, fault in faults.items():
        kind = _KINDS.get(fault.kind, ("unreadable rows", "that cannot be read"))
        by_kind.setdefault(kind, []).append(line)
    for (name, words), lines in by_kind.items():
        more = ", ..." if len(lines) > _LISTED else ""
        listed = ", ".join(map(str, lines[:_LISTED])) + more
        example = faults[lines[0]]
        unit = unit_of(source) + ("" if len(lines) == 1 else "s")
        what = f"{counted(len(lines), 'row')} {words} ({unit} {listed}): left out here."
        hint = _way_out(example, "Training refuses them: ") or "Training refuses them."
        yield Finding(name, Severity.ERROR, what, hint)


def _way_out(error: DataError, begins: str = "") -> str | Setting | None:
    """The error's hint; None where it has none. No full stop follows: it would be pasted with an option's value."""
    hint = error.hint
    if isinstance(hint, Setting):
        return replace(hint, text=begins + hint.text)
    return f"{begins}{hint}" if hint else None


def _name(error: DataError) -> str | None:
    """The name of the finding about what refuses a whole file; None for a row's fault, and for no table."""
    if isinstance(error, QuoteTrouble):
        return "quotes"
    if isinstance(error, RowAsHeader | Preamble):
        return "header"
    if isinstance(error, NoUsualName):
        return "columns"
    if isinstance(error.hint, Setting) and error.hint.key == "data.encoding":
        return "encoding"
    return "page" if error.kind == "page" else None


def _finding(error: DataError, name: str) -> Finding:
    what = f"{error.where}: {error.what}."
    return Finding(name, Severity.ERROR, what, _way_out(error) or "Correct the file.")


def _marks(source: str) -> tuple[Finding, ...]:
    """A byte order mark of UTF-8, which other programs take for a part of the first name."""
    if is_builtin(source) or not os.path.isfile(source):
        return ()
    with open(source, "rb") as file:
        if not file.read(3).startswith(b"\xef\xbb\xbf"):
            return ()
    what = "The file begins with a byte order mark, which is skipped here."
    hint = "Other programs may take it for a part of the first column's name; save it as UTF-8 without one."
    return (Finding("byte order mark", Severity.NOTE, what, hint),)
