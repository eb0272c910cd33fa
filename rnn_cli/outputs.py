"""Whether an output may be written, checked before any work is done. Knows nothing of what is written.

A path is refused, in this order, if something of another kind is there, if it cannot be made, if it is an input, if
what is there would be lost, and, without --force, if it exists.
"""

import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from rnn_cli import system
from rnn_cli.errors import UsageError


def check_file(
    out: Path,
    *,
    force: bool,
    option: str = "--out",
    inputs: Iterable[str] = (),
    kind: str = "",
    is_kind: Callable[[Path], bool] | None = None,
) -> None:
    """Refuse a file that must not be written. Raises `UsageError`, or `WriteError` for a name that cannot be one.

    `option` names it on the command line. `inputs` are files that the command reads: none is replaced, whatever link
    leads to it. Of `kind` is what may be replaced, where not every file may.
    """
    with system.as_write_error(out, option=option):
        if out.is_dir():
            raise UsageError("is a folder", where=str(out), hint="name a file in it")
        _check_place(out.parent, option, is_made=False)
        if out.exists() and any(os.path.exists(each) and out.samefile(each) for each in inputs):
            raise UsageError("is the input", where=str(out), hint=f"choose another {option}")
        if not _is_there(out):
            return
        if out.exists() and not out.is_file():  # a device or a pipe would become a file
            raise UsageError("is not a file", where=str(out), hint=f"choose another {option}")
        if is_kind is not None and not is_kind(out):
            raise UsageError(f"exists and is not {kind}", where=str(out), hint=f"choose another {option}")
        check_replaced(out, force=force, option=option)


def check_folder(out: Path, *, force: bool, option: str = "--out", own: Collection[str] | None = None) -> None:
    """Refuse a folder that must not be written; raises as `check_file` does. Folders above it are made where missing.

    `own` are the names of the files that may be replaced in it; None if the caller checks what is in it.
    """
    with system.as_write_error(out, option=option):
        if _is_there(out) and not out.is_dir():
            raise UsageError("is not a folder", where=str(out), hint=f"choose another {option}")
        _check_place(out if own is None else out.parent, option, is_made=True)
        if own is None or not out.exists():
            return
        found = {file.name for file in out.iterdir()}
        refuse_loss(out, found - set(own), option)
        if found:
            check_replaced(out, force=force, option=option)


def refuse_loss(out: Path, names: Collection[str], option: str = "--out") -> None:
    """Raise `UsageError` if a folder that would be replaced holds files of these names."""
    if names:
        hint = f"move it, or choose another {option}"
        raise UsageError(f"holds {min(names)}, which would be lost", where=str(out), hint=hint)


def check_replaced(out: Path, *, force: bool, option: str) -> None:
    """Raise `UsageError` if something is there, unless by `force`."""
    if not force and _is_there(out):
        raise UsageError("exists", where=str(out), hint=f"use --force to replace it, or choose another {option}")


def _is_there(out: Path) -> bool:
    """Whether there is anything of this name, also a link to nothing; raises `OSError` if there cannot be."""
    try:
        os.lstat(out)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _check_place(folder: Path, option: str, *, is_made: bool) -> None:
    """Refuse a folder that cannot be written to, or one that is missing unless it `is_made`."""
    above = folder
    while not os.path.lexists(above) and above != above.parent:
        above = above.parent
    if not above.is_dir():
        raise UsageError("is not a folder", where=str(above), hint=f"choose another {option}")
    if above != folder and not is_made:
        raise UsageError("no such folder", where=str(folder), hint="make it first")
    if not os.access(above, os.W_OK | os.X_OK):
        raise UsageError("you have no permission to write there", where=str(above), hint=f"choose another {option}")
