"""Tells what a file of the office programs is by its content: a workbook that can be read, or what to do instead."""

import zipfile
from typing import IO

from rnn_cli.errors import DataError

ZIP, ZIP_EMPTY, OLE = b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAGICS = (ZIP, ZIP_EMPTY, OLE)
"""How such files begin."""

SAVE_AS = "save it as .xlsx or CSV in a spreadsheet program"

_SECTOR = 512
_DIRECTORY = 1 << 16  # bytes of an OLE file's list of parts to look at
_IN_ZIP = (  # a part that only such a file has
    ("xl/workbook.bin", "a binary Excel workbook (.xlsb)"),
    ("Index/Document.iwa", "a Numbers, Pages or Keynote document"),
    ("Index.zip", "a Numbers, Pages or Keynote document"),
    ("word/document.xml", "a Word document"),
    ("ppt/presentation.xml", "a PowerPoint presentation"),
)
_OPEN_DOCUMENTS = {b"spreadsheet": "an OpenDocument spreadsheet (.ods)", b"text": "an OpenDocument text (.odt)"}
_IN_OLE = (
    ("EncryptedPackage", "protected with a password", "save it without one, as .xlsx or CSV"),
    ("Workbook", "an old Excel workbook (.xls)", SAVE_AS),
    ("Book", "an old Excel workbook (.xls)", SAVE_AS),
    ("WordDocument", "an old Word document", SAVE_AS),
)


def refuse_unreadable(file: IO[bytes], name: str) -> None:
    """Raise DataError for a file that is no workbook of Excel's newer format, saying what it is.

    The file begins with one of `MAGICS`; it is left at its start.
    """
    head = file.read(len(OLE))
    what, hint = _ole(file) if head == OLE else _zip(file)
    file.seek(0)
    if what:
        raise DataError(f"is {what}", where=name, hint=hint)


def _ole(file: IO[bytes]) -> tuple[str, str]:
    file.seek(48)
    first = int.from_bytes(file.read(4), "little")  # the sector of the list of parts
    file.seek((first + 1) * _SECTOR)
    parts = file.read(_DIRECTORY)
    for part, what, hint in _IN_OLE:
        if part.encode("utf-16-le") + b"\0\0" in parts:
            return what, hint
    return "an old Office document, or one protected with a password", SAVE_AS


def _zip(file: IO[bytes]) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(file) as archive:
            names = frozenset(archive.namelist())
            if "xl/workbook.xml" in names or ("[Content_Types].xml" in names and any(map(_is_sheet, names))):
                return "", ""
            for part, what in _IN_ZIP:
                if part in names:
                    return what, SAVE_AS
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                kind = archive.read("mimetype").rpartition(b".")[2]
                return _OPEN_DOCUMENTS.get(kind, "an OpenDocument or an e-book"), SAVE_AS
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        return "a zip archive or an Excel workbook, and damaged", "copy it again, or save it as CSV"
    return "a zip archive", "unpack it, and name a file in it"


def _is_sheet(name: str) -> bool:
    return name.startswith("xl/worksheets/") and name.endswith(".xml")
