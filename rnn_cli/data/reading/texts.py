"""Reads a folder of texts, a file each, as rows; holds as many as a block at once."""

import io
import os
import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rnn_cli.data.reading.blocks import Block, Opened, TextRow, into_blocks
from rnn_cli.data.reading.decoding import lines
from rnn_cli.data.reading.folders import TableFiles, Texts, look_into
from rnn_cli.data.reading.opening import unreadable
from rnn_cli.data.reading.table import ReadRequest, refuse_missing_columns
from rnn_cli.errors import DataError, RowError, Setting

_FILE = '"$f"'


def open_texts(request: ReadRequest) -> Opened:
    """A folder's texts as rows: the file's path in the folder, the text, and its label if labels are wanted.

    Raises DataError, here or while reading. If lenient, records the fault of a file.
    """
    found = look_into(request.path, labels=request.labels)
    if isinstance(found, TableFiles):
        raise DataError("is a directory", where=request.name, hint="name a file in it")
    for note in found.notes:
        request.warn(note)
    columns = ["file", "text", "label"] if request.labels else ["file", "text"]
    chosen = columns[1:] if request.choose is None else list(request.choose(columns))
    if request.choose is None:
        refuse_missing_columns(request.beside, columns, request.name)
    indices = [columns.index(name) for name in chosen]

    def blocks() -> Iterator[Block]:
        for block in into_blocks(_rows(found, request), request):
            values: list[Any] = block.values
            files = [os.path.join(request.path, row[0]) for row in values]
            yield replace(block, columns=[[row[index] for row in values] for index in indices], files=files)

    return Opened("txt", columns, chosen, blocks())


def _rows(found: Texts, request: ReadRequest) -> Iterator[TextRow]:
    for name, label in found.files:
        fault, text = None, ""
        try:
            text = _text(os.path.join(found.folder, name), request)
        except DataError as error:
            fault = RowError.of(error)
            if error.kind == "encoding" and not request.lenient:
                fault = _of_mixed(fault, name, found, request)
        yield 0, text, [name, text, label][: 3 if request.labels else 2], fault


def _text(path: str, request: ReadRequest) -> str:
    """A file's content as text. Raises DataError."""
    request = replace(request, path=path)
    most = request.max_field_bytes
    try:
        with open(path, "rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise unreadable(path, error) from None
    if len(content) > most:
        raise request.too_large(1, "a text")
    if request.on_read:
        request.on_read(len(content))
    return "".join(lines(io.BufferedReader(io.BytesIO(content)), request))


def _of_mixed(fault: RowError, name: str, found: Texts, request: ReadRequest) -> RowError:
    """The fault of a file that is not UTF-8; where others are, no one encoding reads all, and the hint converts it."""
    hint, path = fault.hint, os.path.join(found.folder, name)
    if not isinstance(hint, Setting) or hint.key != "data.encoding" or request.encoding not in (None, "utf-8"):
        return fault
    is_utf8 = [_is_utf8(os.path.join(found.folder, each)) for each, _ in found.files]
    count = is_utf8.count(False)
    if True not in is_utf8 or not count:
        return fault
    convert = "iconv -f {0} -t utf-8 {1} > {1}.new && mv {1}.new {1}"
    if count == 1:
        hint = f"other files are UTF-8; convert it: {convert.format(hint.value, shlex.quote(path))}"
    else:
        files = f"{shlex.quote(os.path.join(found.folder, ''))}{'*/' if request.labels else ''}*.txt"
        each = f'iconv -f utf-8 "$f" > /dev/null 2>&1 || {{ {convert.format(hint.value, _FILE)}; }}'
        hint = f"{count:,} files are not UTF-8, others are; convert them: for f in {files}; do {each}; done"
    return RowError(fault.what, where=fault.where, hint=hint, kind=fault.kind)


def _is_utf8(path: str) -> bool | None:
    """Whether a file's bytes are UTF-8; None where they are ASCII, or cannot be read."""
    try:
        with open(path, "rb") as file:
            content = file.read()
        return None if content.isascii() else bool(content.decode())
    except OSError:
        return None
    except UnicodeDecodeError:
        return False
