"""Reads a folder of texts, a file each, as rows; holds as many as a block at once."""

import io
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rnn_cli.data.reading.blocks import Block, Opened, TextRow, into_blocks
from rnn_cli.data.reading.decoding import lines
from rnn_cli.data.reading.folders import TableFiles, Texts, look_into
from rnn_cli.data.reading.opening import unreadable
from rnn_cli.data.reading.table import ReadRequest
from rnn_cli.errors import DataError, RowError


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
