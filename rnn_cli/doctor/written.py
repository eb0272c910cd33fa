"""Files that the room writes: whole or not at all. Knows nothing of what stands in them."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

from rnn_cli.errors import UsageError


def check_target(out: Path, read: Iterable[str] = (), *, force: bool) -> None:
    """Refuse, before any work is done, what is no file's name or names a file of `read`; without `force`, any file.

    Raises `UsageError`.
    """
    if out.is_dir():
        raise UsageError("is a folder", where=str(out), mend="name a file in it")
    if not out.parent.is_dir():
        raise UsageError("no such folder", where=str(out.parent), mend="make it first")
    if out.exists() and any(os.path.exists(file) and out.samefile(file) for file in read):
        raise UsageError("holds the texts themselves", where=str(out), mend="choose another --out")
    if (out.exists() or out.is_symlink()) and not force:
        raise UsageError("exists", where=str(out), mend="use --force to replace it, or another --out")


def write_csv(table: Iterable[Sequence[str]], file: Path) -> None:
    """Write a table as CSV, replacing what stands there; raises as `write_text` does."""
    content = io.StringIO(newline="")
    csv.writer(content).writerows(table)
    write_text(content.getvalue(), file)


def write_text(content: str, file: Path) -> None:
    """Write a text as UTF-8 under a temporary name beside `file`, then rename it; raises `UsageError`."""
    hidden = None
    try:
        handle, hidden = mkstemp(prefix=f".{file.name[:100]}.", suffix=".part", dir=file.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(hidden, 0o666 & ~_umask())  # mkstemp's is for this user alone
        os.replace(hidden, file)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot be written ({why})", where=str(file), mend="choose another --out") from None
    finally:
        if hidden is not None:
            with suppress(OSError):
                os.unlink(hidden)  # gone already when all went well


def _umask() -> int:
    mask = os.umask(0)  # it can only be read by setting it
    os.umask(mask)
    return mask
