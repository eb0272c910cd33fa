"""Files named by a URL: s3://bucket/folder/part-1.parquet, gs://..., hdfs://..., file://...

Uses Arrow's file systems where they support the URL, else fsspec's. Loads pyarrow only for a URL.
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
from rnn_cli.formats import PASSED_OVER

if TYPE_CHECKING:
    import pyarrow.fs

    from rnn_cli.config.schema import DataConfig


STANDARD_INPUT = "-"
"""The path that means the standard input."""


def is_remote(path: str) -> bool:
    """Whether a path is a URL."""
    scheme, mark, _ = path.partition("://")
    return bool(mark) and scheme.replace("+", "").isalnum()


# A user and a password, also with a / that is not written as %2F; and a query, which may hold a signature.
_PRIVATE = re.compile(r"(?<=://)(?P<user>[^/?#]*|[^/?#:@]*:(?!\d*/)[^?#@]*)@|\?(?P<query>.*)", re.DOTALL)
_URL = re.compile(r"\w[\w+]*://[^\s'\"]+")


def shown(path: str) -> str:
    """A path as messages name it: a URL without its user and query, which may be secret."""
    if path == STANDARD_INPUT:
        return "standard input"
    return _PRIVATE.sub("", path) if is_remote(path) else path


def shown_source(config: "DataConfig") -> str:
    """The source, or the names of several, as messages name them."""
    return shown(config.source) if config.sources is None else ", ".join(each.called for each in config.sources)


def safe_reason(error: object, path: str) -> str:
    """An error's message about a path in one line, without what may be secret in a URL."""
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    if not is_remote(path):
        return reason
    private = {""}
    for found in _PRIVATE.finditer(path):
        user, query = found["user"] or "", found["query"] or ""
        private |= {user, user.partition(":")[2], query}
    for secret in sorted((private | set(map(unquote, private))) - {""}, key=len, reverse=True):
        reason = reason.replace(secret, "...")
    return _URL.sub(lambda url: shown(url.group()), reason)


def file_system(url: str) -> "tuple[pyarrow.fs.FileSystem, str]":
    """The file system of a URL, shared by all files of a host or bucket, and the path in it. Raises DataError."""
    address, mark, query = url.partition("?")
    scheme, _, rest = address.partition("://")
    authority, slash, below = rest.partition("/")
    try:
        if known := _of_arrow(f"{scheme}://{authority}/{mark}{query}"):
            found, root = known
            path = root.rstrip("/") + slash + unquote(below, errors="strict")
            return found, path.rstrip("/") or root
        from fsspec.core import url_to_fs

        of_fsspec, path = url_to_fs(url)  # fsspec caches its file systems itself
        return _wrapped(of_fsspec), path
    except (ImportError, ValueError, OSError) as error:
        lacking = missing(error.name or "") if isinstance(error, ModuleNotFoundError) else None
        raise lacking or _unreachable(url, error) from None


@cache
def _of_arrow(address: str) -> "tuple[pyarrow.fs.FileSystem, str] | None":
    """Arrow's file system for a URL without a path, and the path that all its paths begin with; None if it has none.

    Cached: on S3 each file system has its own connections, and may have to ask for its bucket's region.
    """
    import pyarrow as pa
    from pyarrow import fs

    try:
        return fs.FileSystem.from_uri(address)  # type: ignore[no-any-return]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # a scheme that Arrow does not know
        return None


@cache
def _wrapped(found: Any) -> "pyarrow.fs.FileSystem":
    from pyarrow import fs

    return fs.PyFileSystem(fs.FSSpecHandler(found))


@contextmanager
def open_remote(url: str, *, seekable: bool = False) -> Iterator[Any]:
    """A file's bytes without decompression; `seekable` for a reader that seeks. Raises DataError."""
    found, path = file_system(url)
    try:
        stream = found.open_input_file(path) if seekable else found.open_input_stream(path, compression=None)
    except OSError as error:
        raise _unreachable(url, error) from None
    with stream:
        yield stream if seekable else io.BufferedReader(stream, 1 << 20)


class RemoteFile(NamedTuple):
    """A file's URL, its name below the folder it was found in, its size in bytes and its modification time (ns)."""

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
    """The files of a folder and its subfolders, or those that match a pattern (* or [...] in the last part), sorted.

    Skips the hidden files of a folder and those that begin with _. None for the URL of one file, whether or not it
    exists. Raises DataError.
    """
    from pyarrow import fs

    address, mark, query = url.partition("?")  # s3://bucket/folder?region=...
    folder, _, pattern = address.rpartition("/")
    if not any(sign in pattern for sign in "*["):
        folder, pattern = address.rstrip("/"), ""
    found, path = file_system(folder + mark + query)
    try:
        if not pattern and found.get_file_info(path).type != fs.FileType.Directory:
            return None
        listed = found.get_file_info(fs.FileSelector(path, recursive=not pattern))
    except OSError as error:
        raise _unreachable(url, error) from None
    below = len(path.rstrip("/")) + 1
    infos = {each.path[below:]: each for each in listed if each.type == fs.FileType.File}
    is_wanted = partial(fnmatch.fnmatchcase, pat=pattern) if pattern else _is_shown
    as_url = str if isinstance(found, fs.PyFileSystem) else quote  # Arrow reads the name as a URL, fsspec does not
    return [
        _as_found(f"{folder}/{as_url(name)}{mark}{query}", name, infos[name])
        for name in sorted(infos)
        if is_wanted(name)
    ]


def _is_shown(name: str) -> bool:
    return not any(part.startswith(PASSED_OVER) for part in name.split("/"))


def _as_found(url: str, name: str, info: "pyarrow.fs.FileInfo") -> RemoteFile:
    return RemoteFile(url, name, info.size, info.mtime_ns)


def _unreachable(url: str, error: Exception) -> DataError:
    lacks = isinstance(error, ImportError)  # a library of fsspec's, which says which
    hint = "install that, or save the file here first" if lacks else "check the address and your access to it"
    return DataError(f"cannot be read ({safe_reason(error, url)})", where=shown(url), hint=hint)
