"""Files that lie elsewhere, named by a URL: s3://bucket/folder/part-1.parquet, gs://..., hdfs://..., file://...

Arrow's own file systems serve what they know, fsspec's the rest. Loads pyarrow only when a URL is given.
"""

import fnmatch
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rnn_cli.errors import DataError

if TYPE_CHECKING:
    import pyarrow.fs


def is_remote(path: str) -> bool:
    """Whether a path is a URL."""
    scheme, mark, _ = path.partition("://")
    return bool(mark) and scheme.replace("+", "").isalnum()


def file_system(url: str) -> "tuple[pyarrow.fs.FileSystem, str]":
    """The file system a URL belongs to, and the path in it. Raises DataError."""
    import pyarrow as pa
    from pyarrow import fs

    try:
        return fs.FileSystem.from_uri(url)  # type: ignore[no-any-return]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # a scheme that it does not know
        pass
    except (OSError, ValueError) as error:
        raise _unreachable(url, error) from None
    try:
        from fsspec.core import url_to_fs

        found, path = url_to_fs(url)
    except (ImportError, ValueError, OSError) as error:
        raise _unreachable(url, error) from None
    return fs.PyFileSystem(fs.FSSpecHandler(found)), path


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


def remote_size(url: str) -> int | None:
    """A file's size in bytes; None where it cannot be told. Raises DataError."""
    found, path = file_system(url)
    size: int | None = found.get_file_info(path).size
    return size


def remote_files(url: str) -> list[str] | None:
    """The URLs of the files in a folder, or those a pattern (* or [...] in the last part) stands for, in order.

    None for the URL of one file, whether it is there or not. Raises DataError.
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
        listed = found.get_file_info(fs.FileSelector(path, recursive=False))
    except OSError as error:
        raise _unreachable(url, error) from None
    names = sorted(each.base_name for each in listed if each.type == fs.FileType.File)
    return [f"{folder}/{name}{mark}{query}" for name in names if fnmatch.fnmatchcase(name, pattern or "*")]


def _unreachable(url: str, error: Exception) -> DataError:
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    return DataError(f"cannot be read ({reason})", where=url, mend="check the address and your access to it")
