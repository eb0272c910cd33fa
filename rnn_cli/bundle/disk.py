"""What is asked of the disk: whole files, whole folders, or nothing.

What is written is on the disk before it gets its name; an `OSError` becomes one line that says what to do. An interrupt
may come after any line, so what clears away knows that a thing may have its name already.
"""

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp, mkstemp

from rnn_cli.bundle.layout import reason
from rnn_cli.bundle.plain import open_plain
from rnn_cli.errors import WriteError


@contextmanager
def told(place: Path, *, option: str = "--out") -> Iterator[None]:
    """What the disk refuses inside the block (it is full, a folder is read-only) is told as a `WriteError`.

    It names `place`, or the file in it. `option` is what names the place on the command line.
    """
    try:
        yield
    except BrokenPipeError:  # nobody reads the output any more
        raise
    except OSError as error:
        file = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else place
        raise WriteError(
            f"cannot be written ({reason(error)})",
            where=str(file if file.is_relative_to(place) else place),
            mend=f"make room there or choose another {option}",
        ) from error


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """What the disk refuses inside the block names the file, which the system does only of one that it cannot open."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(file)
        raise


def write(file: Path, content: str | bytes) -> None:
    """Write a file and see it onto the disk."""
    with _naming(file):
        file.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    fsync(file)


def fsync(path: Path) -> None:
    """See a file, or the names in a folder, onto the disk."""
    with _naming(path):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def whole_file(out: Path) -> Iterator[Path]:
    """A temporary file beside `out`, to be written; it takes the name when the block ends well, else it vanishes."""
    handle, name = mkstemp(prefix=_hidden(out), suffix=".part", dir=out.parent)
    hidden = Path(name)
    try:
        os.close(handle)
        yield hidden
        fsync(hidden)
        hidden.chmod(0o666 & ~_umask())  # mkstemp's is for this user alone
        hidden.replace(out)
    finally:
        with suppress(OSError):
            hidden.unlink()  # gone already when all went well


@contextmanager
def whole_folder(out: Path, check: Callable[[], None]) -> Iterator[Path]:
    """A temporary folder that takes the name `out` when the block ends well, and vanishes if it does not.

    `check` raises where what stands at `out` by then may not be replaced.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    hidden = Path(mkdtemp(prefix=_hidden(out), suffix=".part", dir=out.parent))
    new = hidden / "new"
    try:
        new.mkdir()
        yield new
        for path in (*new.rglob("*"), new):
            fsync(path)
        check()  # something may have come while the files were written
        take_name = exchange if out.exists() else claim
        take_name(new, out)
    finally:
        remove(hidden)


def claim(folder: Path, final: Path) -> None:
    """Give a folder its name in one step; raises `FileExistsError` where anything but an empty folder stands."""
    try:
        folder.rename(final)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.ENOTDIR) and os.path.lexists(final):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final)) from None
        raise


def exchange(new: Path, old: Path) -> None:
    """Swap two folders: in one step where the system can, else in three renames that are undone if one fails."""
    if sys.platform == "linux" and _renameat2(new, old):
        return
    aside = new.with_suffix(".old")
    remove(aside)  # left by a process that was killed here; `old` stands, so nothing is lost
    try:
        old.rename(aside)
        new.rename(old)
    finally:
        if not old.exists() and aside.exists():
            aside.rename(old)
    aside.rename(new)


def _renameat2(new: Path, old: Path) -> bool:
    """Linux's atomic exchange (renameat2(2)); answers whether the file system could."""
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    call = getattr(ctypes.CDLL(None), "renameat2", None)
    return call is not None and call(here, os.fsencode(new), here, os.fsencode(old), exchange) == 0


@contextmanager
def locked(lock: Path, taken: Exception) -> Iterator[Callable[[], bool]]:
    """A file that one process at a time holds; raises `taken` where another one does, and `OSError`.

    Gives what answers whether the file is still the one that is held. It stays when the block ends.
    """
    import fcntl  # POSIX has it; what only scores sentences runs elsewhere too

    with os.fdopen(open_plain(lock, os.O_RDWR | os.O_CREAT), "r+b", buffering=0) as held:  # whoever put it there
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the system lets go of it when the process dies
        except BlockingIOError:
            raise taken from None

        def is_there() -> bool:
            try:
                return os.path.samestat(os.fstat(held.fileno()), lock.stat())
            except FileNotFoundError:
                return False

        if not is_there():  # it was removed between our opening and our locking it
            raise taken
        yield is_there


def remove(folder: Path) -> None:
    """Delete a folder, whatever is in it; what cannot be deleted stays."""
    shutil.rmtree(folder, ignore_errors=True)


def remove_if_empty(folder: Path) -> None:
    """Delete a folder that holds nothing."""
    with suppress(OSError):
        folder.rmdir()


def _hidden(out: Path) -> str:
    return os.fsdecode(os.fsencode(f".{out.name}")[:200]) + "."  # with what follows, no longer than a name may be


def _umask() -> int:
    mask = os.umask(0)  # it can only be read by setting it
    os.umask(mask)
    return mask
