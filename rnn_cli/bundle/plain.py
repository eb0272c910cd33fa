"""Files of a model's folder, opened without trust: they may be links, pipes or devices, or grow while they are read.

Only a plain file is opened, by its own name, and never waited for.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from rnn_cli.bundle.layout import reason
from rnn_cli.errors import BundleError

CAREFULLY = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
"""How a file is opened that may be anything; not every system has all of these."""

FEW = 1_000
"""Brackets that a JSON file may have; and one more for ten of its bytes, as each may take 64 bytes of memory."""

KINDS = {
    **{stat.S_IFLNK: "a link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"},
    **{stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"},
}


def size_of(file: Path) -> int:
    """A plain file's size in bytes; raises `BundleError` if it is anything else, and `OSError` where there is none."""
    return _plain(os.lstat(file), file).st_size


def open_plain(file: Path, flags: int = os.O_RDONLY) -> int:
    """A descriptor of a plain file; raises `BundleError` if it is anything else, and `OSError`."""
    try:
        size_of(file)  # before it is opened, which may already do something to a device
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise
    handle = os.open(file, flags | CAREFULLY, 0o666)
    try:
        _plain(os.fstat(handle), file)
    except BaseException:
        os.close(handle)
        raise
    return handle


def read_plain(file: Path, most: int) -> bytes:
    """The bytes of a plain file of at most `most`; raises `BundleError` if it is anything else or cannot be read."""
    with reading(file) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > most:
            raise BundleError(f"{size:,} bytes are more than any has ({most:,})", where=str(file))
        content = stream.read(size + 1)
    if len(content) != size:
        raise BundleError("changes while it is read", where=str(file))
    if file.suffix == ".json" and content.count(b"[") + content.count(b"{") > FEW + size // 10:
        raise BundleError("holds more lists than text", where=str(file))
    return content


@contextmanager
def reading(file: Path) -> Iterator[BufferedReader]:
    """A plain file, open for reading; raises `BundleError` if it is anything else or cannot be read."""
    try:
        with open(open_plain(file), "rb") as stream:
            yield stream
    except OSError as error:
        raise BundleError(reason(error), where=str(file)) from None


def _plain(found: os.stat_result, file: Path) -> os.stat_result:
    kind = stat.S_IFMT(found.st_mode)
    if kind != stat.S_IFREG:
        raise BundleError(
            f"is {KINDS.get(kind, 'something else')}, not a file", where=str(file), mend="put the file itself there"
        )
    return found
