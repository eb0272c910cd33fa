"""Files that lie elsewhere, named by a URL: s3://bucket/folder/part-1.parquet, gs://..., hdfs://..., file://...

Arrow's own file systems serve what they know, fsspec's the rest. Loads pyarrow only when a URL is given.
"""

import fnmatch
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote

from rnn_cli.errors import DataError, missing

if TYPE_CHECKING:
    import pyarrow.fs


STANDARD_INPUT = "-"
"""What stands for it among paths."""


def is_remote(path: str) -> bool:
    """Whether a path is a URL."""
    scheme, mark, _ = path.partition("://")
    return bool(mark) and scheme.replace("+", "").isalnum()


# A user and a password, even one whose / was not written as %2F; and a query, which may hold a signature.
_PRIVATE = re.compile(r"(?<=://)(?P<user>[^/?#]*|[^/?#:@]*:(?!\d*/)[^?#@]*)@|\?(?P<query>.*)", re.DOTALL)
_URL = re.compile(r"\w[\w+]*://[^\s'\"]+")


def shown(path: str) -> str:
    """How messages name a path: a URL without what may be secret, its user and its query."""
    if path == STANDARD_INPUT:
        return "standard input"
    return _PRIVATE.sub("", path) if is_remote(path) else path


def safe_reason(error: object, path: str) -> str:
    """What an error says of a path, in one line, and without what may be secret in a URL."""
    told = str(error).strip().partition("\n")[0] or type(error).__name__
    if not is_remote(path):
        return told
    private = {""}
    for found in _PRIVATE.finditer(path):
        user, query = found["user"] or "", found["query"] or ""
        private |= {user, user.partition(":")[2], query}
    for secret in sorted((private | set(map(unquote, private))) - {""}, key=len, reverse=True):
        told = told.replace(secret, "...")
    return _URL.sub(lambda url: shown(url.group()), told)


def file_system(url: str) -> "tuple[pyarrow.fs.FileSystem, str]":
    """The file system a URL belongs to, one for all files of a place, and the path in it. Raises DataError."""
    place, mark, query = url.partition("?")
    scheme, _, rest = place.partition("://")
    authority, slash, below = rest.partition("/")
    try:
        if known := _of_arrow(f"{scheme}://{authority}/{mark}{query}"):
            found, root = known
            path = root.rstrip("/") + slash + unquote(below, errors="strict")
            return found, path.rstrip("/") or root
        from fsspec.core import url_to_fs

        of_fsspec, path = url_to_fs(url)  # it keeps its file systems itself
        return _wrapped(of_fsspec), path
    except (ImportError, ValueError, OSError) as error:
        lacking = missing(error.name or "") if isinstance(error, ModuleNotFoundError) else None
        raise lacking or _unreachable(url, error) from None


@cache
def _of_arrow(place: str) -> "tuple[pyarrow.fs.FileSystem, str] | None":
    """Arrow's file system for a URL without a path, and the path that all others begin with; None if it has none.

    On S3 each has connections of its own, and may have asked for its bucket's region first.
    """
    import pyarrow as pa
    from pyarrow import fs

    try:
        return fs.FileSystem.from_uri(place)  # type: ignore[no-any-return]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # a scheme that it does not know
        return None


@cache
def _wrapped(found: Any) -> "pyarrow.fs.FileSystem":
    from pyarrow import fs

    return fs.PyFileSystem(fs.FSSpecHandler(found))


@contextmanager
def open_remote(url: str, *, seekable: bool = False) -> Iterator[Any]:
    """A file's bytes as it lies; `seekable` for a reader that must jump about. Raises DataError."""
    found, path = file_system(url)
    try:
        stream = found.open_input_file(path) if seekable else found.open_input_stream(path, compression=None)
    except OSError as error:
        raise _unreachable(url, error) from None
    with stream:
        yield stream if seekable else io.BufferedReader(stream, 1 << 20)


class RemoteFile(NamedTuple):
    """A file's URL, its name below the folder it was found in, its size in bytes and when it was changed (ns)."""

    url: str
    name: str
    size: int | None
    modified: int | None


def remote_file(url: str) -> RemoteFile:
    """The file of a URL. Raises DataError."""
    found, path = file_system(url)
    try:
        return _as_found(url, path.rpartition("/")[2], found.get_file_info(path))
    except OSError as error:
        raise _unreachable(url, error) from None


def remote_files(url: str) -> list[RemoteFile] | None:
    """The files in a folder and in its folders, or those a pattern (* or [...] in the last part) stands for, in order.

    Of a folder, hidden files and those that begin with _ are passed over. None for the URL of one file, whether it is
    there or not. Raises DataError.
    """
    from pyarrow import fs

    place, mark, query = url.partition("?")  # s3://bucket/folder?region=...
    folder, _, pattern = place.rpartition("/")
    if not any(sign in pattern for sign in "*["):
        folder, pattern = place.rstrip("/"), ""
    found, path = file_system(folder + mark + query)
    try:
        if not pattern and found.get_file_info(path).type != fs.FileType.Directory:
            return None
        listed = found.get_file_info(fs.FileSelector(path, recursive=not pattern))
    except OSError as error:
        raise _unreachable(url, error) from None
    below = len(path.rstrip("/")) + 1
    infos = {each.path[below:]: each for each in listed if each.type == fs.FileType.File}
    is_asked = partial(fnmatch.fnmatchcase, pat=pattern) if pattern else _is_shown
    as_url = str if isinstance(found, fs.PyFileSystem) else quote  # what of it Arrow reads as a URL, fsspec does not
    return [
        _as_found(f"{folder}/{as_url(name)}{mark}{query}", name, infos[name])
        for name in sorted(infos)
        if is_asked(name)
    ]


def _is_shown(name: str) -> bool:
    return not any(part.startswith((".", "_")) for part in name.split("/"))


def _as_found(url: str, name: str, info: "pyarrow.fs.FileInfo") -> RemoteFile:
    return RemoteFile(url, name, info.size, info.mtime_ns)


def _unreachable(url: str, error: Exception) -> DataError:
    hint = "check the address and your access to it"
    return DataError(f"cannot be read ({safe_reason(error, url)})", where=shown(url), hint=hint)
