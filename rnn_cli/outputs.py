"""Whether an output may be written, checked before any work is done. Knows nothing of what is written.

A path is refused, in this order, if something of another kind is there, if it cannot be made, if it is an input, if
what is there would be lost, and, without --force, if it exists.
"""

import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from rnn_cli import system
from rnn_cli.errors import Setting, UsageError


def another(name: str) -> Setting:
    """The hint to choose another place, by the parameter, or the option, that names it."""
    return Setting(name, text="choose another {}")


def replace_or(name: str) -> Setting:
    """The hint to replace what is there or to choose another place."""
    return Setting("force", "True", "use {} to replace it", more=(Setting(name, text=", or choose another {}"),))


def check_file(
    out: Path,
    *,
    force: bool,
    name: str = "out",
    inputs: Iterable[str] = (),
    kind: str = "",
    is_kind: Callable[[Path], bool] | None = None,
) -> None:
    """Refuse a file that must not be written. Raises `UsageError`, or `WriteError` for a name that cannot be one.

    `name` is the parameter, or the option, that names it. `inputs` are files that the command reads: none is replaced,
    whatever link leads to it. Of `kind` is what may be replaced, where not every file may.
    """
    with system.as_write_error(out, name=name):
        if out.is_dir():
            raise UsageError("is a folder", where=str(out), hint="name a file in it")
        _check_place(out.parent, name, is_made=False)
        if out.exists() and any(os.path.exists(each) and out.samefile(each) for each in inputs):
            raise UsageError("is the input", where=str(out), hint=another(name))
        if not _is_there(out):
            return
        if out.exists() and not out.is_file():  # a device or a pipe would become a file
            raise UsageError("is not a file", where=str(out), hint=another(name))
        if is_kind is not None and not is_kind(out):
            raise UsageError(f"exists and is not {kind}", where=str(out), hint=another(name))
        check_replaced(out, force=force, name=name)


def check_folder(out: Path, *, force: bool, name: str = "out", own: Collection[str] | None = None) -> None:
    """Refuse a folder that must not be written; raises as `check_file` does. Folders above it are made where missing.

    `own` are the names of the files that may be replaced in it; None if the caller checks what is in it.
    """
    with system.as_write_error(out, name=name):
        if _is_there(out) and not out.is_dir():
            raise UsageError("is not a folder", where=str(out), hint=another(name))
        _check_place(out if own is None else out.parent, name, is_made=True)
        if own is None or not out.exists():
            return
        found = {file.name for file in out.iterdir()}
        refuse_loss(out, found - set(own), name)
        if found:
            check_replaced(out, force=force, name=name)


def refuse_loss(out: Path, names: Collection[str], name: str = "out") -> None:
    """Raise `UsageError` if a folder that would be replaced holds files of these names."""
    if names:
        hint = Setting(name, text="move it, or choose another {}")
        raise UsageError(f"holds {min(names)}, which would be lost", where=str(out), hint=hint)


def check_replaced(out: Path, *, force: bool, name: str) -> None:
    """Raise `UsageError` if something is there, unless by `force`."""
    if not force and _is_there(out):
        raise UsageError("exists", where=str(out), hint=replace_or(name))


def _is_there(out: Path) -> bool:
    """Whether there is anything of this name, also a link to nothing; raises `OSError` if there cannot be."""
    try:
        os.lstat(out)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _check_place(folder: Path, name: str, *, is_made: bool) -> None:
    """Refuse a folder that cannot be written to, or one that is missing unless it `is_made`."""
    above = folder
    while not os.path.lexists(above) and above != above.parent:
        above = above.parent
    if not above.is_dir():
        raise UsageError("is not a folder", where=str(above), hint=another(name))
    if above != folder and not is_made:
        raise UsageError("no such folder", where=str(folder), hint="make it first")
    if not os.access(above, os.W_OK | os.X_OK):
        raise UsageError("you have no permission to write there", where=str(above), hint=another(name))
