"""Files that the room writes: whole or not at all. Knows nothing of what stands in them."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from rnn_cli.bundle import disk
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
    """Write a text as UTF-8, whole or not at all, replacing what stands there; raises `WriteError`."""
    with disk.told(file), disk.whole_file(file) as hidden:
        disk.write(hidden, content)
