"""Decodes bytes to lines of text: byte order marks, encodings, line ends, NUL characters, lines that are too long.

A line keeps its line end (LF, CRLF or CR), and only a bounded part of a line is held in memory. Knows nothing of fields
or formats.
"""

import codecs
import io
import os
import re
from collections.abc import Iterator

from rnn_cli.data.reading.opening import open_bytes
from rnn_cli.data.reading.table import ReadRequest
from rnn_cli.errors import DataError, RowError, Setting

# UTF-32 goes first: its little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ESCAPED = re.compile("[\udc80-\udcff]")  # how "surrogateescape" represents bytes that are not text
_SHOWN = 1000  # characters of a line that is too large
_PIECE = 1 << 20  # characters
_LINE_END = 2  # characters of the longest, CRLF


Faults = dict[int, DataError]
"""Errors by line number."""


def lines(
    stream: io.BufferedReader, request: ReadRequest, faults: Faults | None = None, *, cut_long: bool = False
) -> Iterator[str]:
    """The lines of `stream`, each with its line end. Raises DataError naming the line.

    With `faults`, NUL characters and bytes that are not UTF-8 are recorded there instead, and the line comes without
    them. With `cut_long`, so is a line that is too large, and its beginning comes.
    """
    mark, encoding = _encoding(stream.peek(4), request)
    stream.read(len(mark))
    is_lenient = faults is not None and encoding == "utf-8"
    text = io.TextIOWrapper(stream, encoding=encoding, newline="", errors="surrogateescape" if is_lenient else "strict")
    most = request.max_field_bytes
    number, line = 0, ""
    try:
        while piece := text.readline(most + _LINE_END + 1):
            if piece == "\n" and line.endswith("\r"):
                continue  # the rest of a CRLF where a line was cut
            number, line = number + 1, piece
            # No character takes more than four bytes, so most lines need no counting.
            if len(line) * 4 > most and size(line.rstrip("\r\n")) > most:
                error = request.too_large(number, "a line")
                if not cut_long:
                    raise error
                if faults is None:
                    raise RowError.of(error)
                faults[number] = error
                line = _skipped(text, line)
            if "\0" in line or (is_lenient and not line.isascii()):
                line = _repaired(line, number, request, faults)
            yield line
    except UnicodeError:
        raise _undecodable(encoding, len(mark), request) from None


def _skipped(text: io.TextIOWrapper, line: str) -> str:
    """Skip the rest of a line; return its beginning."""
    beginning = line[:_SHOWN]
    while line and not line.endswith(("\n", "\r")):
        line = text.readline(_PIECE)
    return f"{beginning}...{line[-1:]}"


def _repaired(line: str, number: int, request: ReadRequest, faults: Faults | None) -> str:
    """The line without NUL characters and bytes that are not UTF-8; both are recorded in `faults`, or raised."""
    try:
        if "\0" in line:
            line = _without_nul(line, number, request)
    except DataError as error:
        if faults is None:
            raise RowError.of(error) from None
        faults[number] = error
        line = line.replace("\0", "")
    if faults is not None and _ESCAPED.search(line):
        faults[number] = DataError(
            "bytes that are not UTF-8", where=request.at(number), hint="convert the file, or name its encoding"
        )
        line = _ESCAPED.sub("\ufffd", line)
    return line


def size(line: str) -> int:
    """The number of bytes of a text in UTF-8."""
    return len(line) if line.isascii() else len(line.encode("utf-8", "surrogatepass"))


def _without_nul(line: str, number: int, request: ReadRequest) -> str:
    if request.strip_nul:
        return line.replace("\0", "")
    if line.count("\0") * 3 > len(line):
        raise request.nul(number, Setting("data.encoding", "utf-16", "this looks like UTF-16; use {} (or utf-16-be)"))
    raise request.nul(number)


def _encoding(head: bytes, request: ReadRequest) -> tuple[bytes, str]:
    """The byte order mark to skip (or none) and the encoding of what follows it."""
    named = _canonical(request) if request.encoding is not None else None
    for mark, encoding in _MARKS:
        # An encoding that was named stays; the mark only gives its byte order.
        if head.startswith(mark) and (named is None or encoding.startswith(named)):
            return mark, encoding
    # Without a mark, "utf-16" means little-endian, which nearly all machines write.
    return b"", {None: "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(named, named or "utf-8")


def _canonical(request: ReadRequest) -> str:
    """The canonical name of the encoding that the request names."""
    named = request.encoding or ""
    try:
        # Stricter than codecs.lookup: "base64" and "undefined" are codecs, but not text encodings.
        io.TextIOWrapper(io.BytesIO(), encoding=named).read()
        name = codecs.lookup(named).name
    except (LookupError, ValueError):
        raise DataError(
            f"no text encoding is called {named!r}",
            where="data.encoding",
            hint="use a name such as utf-8, latin-1, cp1252 or utf-16",
        ) from None
    return "utf-8" if name == "utf-8-sig" else name


def _undecodable(encoding: str, skip: int, request: ReadRequest) -> DataError:
    """The error for bytes that cannot be decoded, with their exact place, found by reading the file again."""
    hint = Setting("data.encoding", "latin-1", "use {} (or the file's encoding)")
    try:
        # A pipe cannot be read twice.
        found = _first_bad_byte(encoding, skip, request) if os.path.isfile(request.path) else None
    except UnicodeError:  # an encoding that reports no place
        found = None
    if found is None:
        return DataError(f"is not {encoding.upper()}", where=request.name, hint=hint)
    line, position, byte = found
    what = f"byte 0x{byte:02x} at position {position} of the line is not {encoding.upper()}"
    kind = RowError if encoding == "utf-8" else DataError
    return kind(what, where=request.at(line), hint=hint)


def _first_bad_byte(encoding: str, skip: int, request: ReadRequest) -> tuple[int, int, int] | None:
    """Line, position in it (in bytes, from 1) and value of the first byte that `encoding` cannot decode."""
    decoder = codecs.getincrementaldecoder(encoding)()
    # Every line end becomes \n, even one split between two chunks.
    ends = io.IncrementalNewlineDecoder(None, translate=True)
    line, before = 1, 0
    with open_bytes(request.path) as stream:
        stream.read(skip)
        while True:
            chunk = stream.read(1 << 16)
            bad: int | None = None
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                bad, text = error.object[error.start], error.object[: error.start].decode(encoding)
            text = ends.decode(text, final=bad is not None)
            line += text.count("\n")
            before = len(text.rpartition("\n")[2].encode(encoding)) + (0 if "\n" in text else before)
            if bad is not None:
                return line, before + 1, bad
            if not chunk:
                return None
