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
    text, mark, encoding = text_of(stream, request, lenient=faults is not None)
    is_lenient = text.errors != "strict"
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


def text_of(
    stream: io.BufferedReader, request: ReadRequest, *, lenient: bool = False, errors: str = "strict"
) -> tuple[io.TextIOWrapper, bytes, str]:
    """The text of a stream, the byte order mark that was skipped (or none), and the encoding of what follows it.

    If `lenient`, bytes that are not UTF-8 come as surrogates.
    """
    mark, encoding = _encoding(stream.peek(4), request)
    stream.read(len(mark))
    errors = "surrogateescape" if lenient and encoding == "utf-8" else errors
    return io.TextIOWrapper(stream, encoding=encoding, newline="", errors=errors), mark, encoding


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
            "bytes that are not UTF-8",
            where=request.at(number),
            hint="convert the file, or name its encoding",
            kind="encoding",
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
        # The first byte of two is 0 in big-endian text.
        encoding = "utf-16-be" if number == 1 and line.startswith("\0") else "utf-16"
        raise request.nul(number, Setting("data.encoding", encoding, "this looks like UTF-16; use {}"))
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


def marked_encoding(head: bytes, request: ReadRequest) -> str:
    """The encoding of a file that begins with these bytes, as its byte order mark or the request says."""
    return _encoding(head, request)[1]


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
    likely: str | None = "latin-1"
    try:
        # A pipe cannot be read twice.
        found = _first_bad_byte(encoding, skip, request) if os.path.isfile(request.path) else None
        if found:
            # Bytes that are not of another encoding may be UTF-8; latin-1 would take them all.
            likely = likely_encoding(request) or (None if encoding == "utf-8" else "utf-8")
    except UnicodeError:  # an encoding that reports no place
        found = None
    hint: Setting | str = Setting("data.encoding", likely or "", "use {} (or the file's encoding)")
    if likely is None:
        hint = "most of the file is UTF-8: write this line again"
    if found is None:
        return DataError(f"is not {encoding.upper()}", where=request.name, hint=hint, kind="encoding")
    line, position, byte = found
    what = f"byte 0x{byte:02x} at position {position} of the line is not {encoding.upper()}"
    kind = RowError if encoding == "utf-8" else DataError
    return kind(what, where=request.at(line), hint=hint, kind="encoding")


_MANY_BYTES = re.compile(rb"[\xc3-\xf4][\x80-\xbf]+")
_HIGH = re.compile(rb"[\x80-\xff]")
_C1 = re.compile(rb"[\x80-\x9f]")  # marks of cp1252, and in Latin-1 what nobody types
_NOT_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


def likely_encoding(request: ReadRequest) -> str | None:
    """The encoding of a file that is not UTF-8, by its bytes: cp1252, latin-1, utf-16 or utf-16-be.

    None if it is UTF-8, or would be but for a few bytes.
    """
    is_utf8, multiple, high = True, 0, 0
    has_marks = has_others = False
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_bytes(request.path) as stream:
        head = stream.peek(_SHOWN)[:_SHOWN]
        if any(head.startswith(mark) for mark, _ in _MARKS):
            return None
        if encoding := _of_two_bytes(head):
            return encoding
        while chunk := stream.read(_PIECE):
            if chunk.isascii():
                continue
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                is_utf8 = False
                decoder.reset()
            found = _MANY_BYTES.findall(chunk)
            multiple += len(found)
            high += len(_HIGH.findall(chunk)) - sum(map(len, found))
            has_marks = has_marks or _C1.search(chunk) is not None
            has_others = has_others or _NOT_CP1252.search(chunk) is not None
    if (is_utf8 and not decoder.getstate()[0]) or multiple > high:
        return None
    return "cp1252" if has_marks and not has_others else "latin-1"


def _of_two_bytes(head: bytes) -> str | None:
    """UTF-16 without a mark, known by the zeros of its ASCII characters."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if not even + odd:
        return None
    for encoding, zeros, others in (("utf-16", odd, even), ("utf-16-be", even, odd)):
        if zeros > 4 * others:
            text = head[: len(head) // 2 * 2].decode(
                f"{encoding.removesuffix('-be')}-{'be' if zeros is even else 'le'}", "replace"
            )
            if text.count("\ufffd") <= 1 and all(each.isprintable() or each.isspace() for each in text[:-1]):
                return encoding
    return None


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
