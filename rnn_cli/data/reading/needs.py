"""All that a CSV or TSV file needs to be read, where it is refused: its encoding and its columns in one message."""

import os
from dataclasses import replace

from rnn_cli.data.reading.decoding import likely_encoding, lines
from rnn_cli.data.reading.dialect import Look, look_at, read_head
from rnn_cli.data.reading.header import RowAsHeader, column_settings, numbered, refuse_row
from rnn_cli.data.reading.opening import open_bytes
from rnn_cli.data.reading.preamble import Preamble, refuse_preamble
from rnn_cli.data.reading.table import NoUsualName, ReadRequest, choose_columns
from rnn_cli.errors import DataError, Setting


def with_all_needs(error: DataError, request: ReadRequest, usual: str) -> DataError:
    """The error that refused a file, with all that is wrong with encoding and columns, and all settings that help.

    `usual` is the delimiter that is named, or that of the format. A file that cannot be looked at twice gets the error
    as it is.
    """
    if not os.path.isfile(request.path):
        return error
    is_encoding = isinstance(error.hint, Setting) and error.hint.key == "data.encoding"
    try:
        return _complete(error, request, usual, is_encoding)
    except Preamble as preamble:
        return preamble
    except DataError:
        return error


def _complete(error: DataError, request: ReadRequest, usual: str, is_encoding: bool) -> DataError:
    encoding = likely_encoding(request) if request.encoding is None else None
    if is_encoding and encoding is None:
        return error
    kind, what, where, hint = type(error), [error.what], error.where, error.hint
    again = replace(request, encoding=encoding or request.encoding, on_read=None, on_columns=None)
    with open_bytes(request.path) as stream:
        head = read_head(lines(stream, again, {}), again)
    look = look_at(head, again, usual)
    if request.header is None and not look.skipped:
        refuse_preamble(head, again, usual)
    if not (is_encoding or isinstance(error, NoUsualName | RowAsHeader)):
        return error
    names = numbered(len(look.first)) if request.header is False else look.first
    if is_encoding:
        try:
            refuse_row(look.first, look.rows, again, 1 + look.skipped)
            choose_columns(names, again, lambda name: look.cells(names.index(name)))
        except DataError as further:
            error, hint = further, further.hint
            what.append(further.what)
    elif encoding is not None:
        what.append("it is not UTF-8")
    if isinstance(error, NoUsualName):
        settings = column_settings(names, look.rows, again)
        hint = Setting(*settings[0], also=settings[1:], more=_if_row(look, again)) if settings else hint
    if encoding is not None and isinstance(hint, Setting):
        hint = _with_encoding(encoding, hint)
    return kind(", and ".join(what), where=where, hint=hint)


def _if_row(look: Look, request: ReadRequest) -> tuple[Setting, ...]:
    """The way out if the first line is a row, unless a name of one word stands above texts of several."""
    if request.header is not None:
        return ()
    nameless = replace(request, text_column=None, label_column=None, likely_text_column=None)
    names = numbered(len(look.first))
    columns = column_settings(names, [look.first, *look.rows], nameless)
    text = dict(columns).get("data.text_column")
    if text in names:
        index = names.index(text)
        words = sum(len(cell.split()) for cell in look.cells(index))
        if len(look.first[index].split()) == 1 and words >= 2 * len(look.rows):
            return ()
    return (Setting("data.header", "false", "; if line 1 is a row, {}", also=columns),)


def _with_encoding(encoding: str, hint: Setting) -> Setting:
    """The hint, with the encoding in each of the ways out that it names."""
    more = tuple(_with_encoding(encoding, each) for each in hint.more)
    if hint.key == "data.encoding":
        return replace(hint, value=encoding, more=more)
    return replace(hint, key="data.encoding", value=encoding, also=((hint.key, hint.value), *hint.also), more=more)
