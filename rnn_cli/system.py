"""The operating system: files written whole or not at all, locks, plain files, and libraries kept quiet.

Knows libraries by the names of their settings only, and no file by its meaning. What the user has set in the
environment himself stands.
"""

import ctypes
import errno
import logging
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp, mkstemp

from rnn_cli.errors import BundleError, Setting, WriteError

NO_FOLDER = os.path.join(os.devnull, "none")
"""A folder that nobody can make: Keras then writes no config, and matplotlib's fonts go to a temporary folder."""


def leave_home_alone() -> None:
    """Keep Keras and matplotlib, which have yet to load, from making files in a home where they have none.

    A user who has such files has chosen: he goes on with his settings, and need not wait for the list of his fonts.
    """
    home = Path(os.path.expanduser("~"))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    if not (home / ".keras" / "keras.json").exists():
        os.environ.setdefault("KERAS_HOME", NO_FOLDER)
    if not (cache / "matplotlib").exists() and not (home / ".matplotlib").exists():
        os.environ.setdefault("MPLCONFIGDIR", NO_FOLDER)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where it keeps its fonts is of no interest in a run


def keep_ray_here() -> None:
    """Have a Ray that has yet to load start clusters that no other machine can reach, as it does except on Linux."""
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")


_share: int | None = None
"""How many cores this process may use, where others that belong to the same work use the rest."""


def cores() -> int:
    """How many cores this process may use; in a container that may be fewer than the machine has."""
    if _share is not None:
        return _share
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def use_cores(count: int) -> None:
    """Use so many cores from now on, in this process."""
    global _share
    _share = count


MEMORY = Path("/proc/meminfo")
CGROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
)
"""Where Linux says how much memory is free, and how much a container may have and has."""


def free_memory() -> int | None:
    """How many bytes of memory this process may still take; None where the system does not tell."""
    found = list[int]()
    with suppress(OSError, ValueError, IndexError):
        found.append(int(MEMORY.read_text().split("MemAvailable:")[1].split()[0]) << 10)
    for most, used in CGROUPS:
        with suppress(OSError, ValueError):  # "max" where nothing bounds it
            found.append(max(int(most.read_text()) - int(used.read_text()), 0))
    return min(found, default=None)


@contextmanager
def stderr_closed() -> Iterator[None]:
    """Nothing reaches the standard error while the block runs, not even what native code writes to its descriptor."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def as_write_error(place: Path, *, name: str = "out") -> Iterator[None]:
    """Raise what the disk refuses inside the block (it is full, a folder is read-only) as a `WriteError`.

    It names `place`, or the file in it. `name` is the parameter, or the option, that names the place.
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
            hint=Setting(name, text="make room there or choose another {}"),
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
    """Linux's atomic exchange (renameat2(2)); returns whether the file system could."""
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    call = getattr(ctypes.CDLL(None), "renameat2", None)
    return call is not None and call(here, os.fsencode(new), here, os.fsencode(old), exchange) == 0


@contextmanager
def locked(lock: Path, taken: Exception) -> Iterator[Callable[[], bool]]:
    """A file that one process at a time holds; raises `taken` where another one does, and `OSError`.

    Gives a function that says whether the file is still the one that is held. It stays when the block ends.
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


def hide(folder: Path, ending: str) -> Path:
    """Take a folder's name away in one step: returns the hidden folder beside it, of this ending, that holds it now."""
    hidden = Path(mkdtemp(prefix=_hidden(folder), suffix=ending, dir=folder.parent))
    try:
        folder.rename(hidden / "old")
    except BaseException:
        remove_if_empty(hidden)
        raise
    return hidden


def is_held(lock: Path) -> bool:
    """Whether a process holds this file as `locked` has it; changes nothing."""
    import fcntl

    try:
        with os.fdopen(open_plain(lock), "rb", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


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


def reason(error: OSError) -> str:
    """Why the operating system refused, in its own words."""
    return (error.strerror or str(error)).lower()


# Files opened without trust: they may be links, pipes or devices, or grow while they are read.
# Only a plain file is opened, by its own name, and never waited for.

CAREFULLY = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
"""How a file is opened that may be anything; not every system has all of these."""

_FEW = 1_000
"""Brackets that a JSON file may have; and one more for ten of its bytes, as each may take 64 bytes of memory."""


def can_cache_code(file: str) -> bool:
    """Whether numba can keep what it compiles of a source file: in NUMBA_CACHE_DIR, or beside the file.

    If neither is writable, each process compiles again, as numba would otherwise write to the user's home.
    """
    named = os.environ.get("NUMBA_CACHE_DIR")
    return any(map(_is_writable, filter(None, [named, str(Path(file).with_name("__pycache__"))])))


def _is_writable(folder: str) -> bool:
    try:
        os.makedirs(folder, exist_ok=True)
        TemporaryFile(dir=folder).close()  # as numba itself checks
    except OSError:
        return False
    return True


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
    with open_for_reading(file) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > most:
            raise BundleError(f"{size:,} bytes are more than any has ({most:,})", where=str(file))
        content = stream.read(size + 1)
    if len(content) != size:
        raise BundleError("changes while it is read", where=str(file))
    if file.suffix == ".json" and content.count(b"[") + content.count(b"{") > _FEW + size // 10:
        raise BundleError("holds more lists than text", where=str(file))
    return content


@contextmanager
def open_for_reading(file: Path) -> Iterator[BufferedReader]:
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
            f"is {KINDS.get(kind, 'something else')}, not a file", where=str(file), hint="put the file itself there"
        )
    return found
