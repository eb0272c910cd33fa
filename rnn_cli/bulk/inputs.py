"""Names become the files they stand for: files, folders, patterns and URLs, in order. Opens none of them."""

import fnmatch
import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from rnn_cli.data.reading.readers import FORMATS_BY_SUFFIX, suffix_of
from rnn_cli.data.reading.remote import STANDARD_INPUT, is_remote, remote_file, remote_files, shown
from rnn_cli.errors import DataError

_PATTERN = frozenset("*?[")


@dataclass(frozen=True)
class Input:
    """A file to read. `name` is its path below the folder it was found in; size in bytes, None where unknown.

    `modified` tells a file from a later one of that name (nanoseconds, None where unknown).
    """

    path: str
    name: str
    size: int | None = None
    modified: int | None = None


def find_inputs(names: Sequence[str], *, any_format: bool = False) -> list[Input]:
    """The files that names stand for, each name's in sorted order.

    Of a folder these are the files in it and in its folders whose names say a format that can be read (all, with
    `any_format`); hidden ones, and those that begin with _, are passed over. Raises DataError where there is none, or
    one twice.
    """
    if STANDARD_INPUT in names and len(names) > 1:
        raise DataError("the standard input cannot be read beside files", mend="give it alone, as --input -")
    found = [each for name in names for each in _named(local(name), any_format)]
    seen: set[str] = set()
    for each in found:
        file = each.path if is_remote(each.path) else os.path.realpath(each.path)
        if file in seen:
            raise DataError("is named twice", where=shown(each.path), mend="name each file once")
        seen.add(file)
    return found


def would_read(name: str, path: str, *, is_folder: bool) -> bool:
    """Whether a folder or a pattern may stand for a file, or for files in a folder, that will be there later."""
    name, path = local(name), path.rstrip("/")
    if is_remote(name) or is_remote(path):
        place = name.partition("?")[0]
        folder = place.rpartition("/")[0] if _PATTERN & set(place) or format_of(place) else place.rstrip("/")
        return format_of(place) is None and path.startswith(f"{folder}/")
    path = os.path.realpath(path)
    if os.path.isdir(name):
        return _is_below(path, name)
    if not _PATTERN & set(name) or os.path.lexists(name):
        return False
    if "**" in name:
        return _is_below(path, _folder_of(name))
    asked, found = Path(os.path.abspath(name)).parts, Path(path).parts + ("",) * is_folder
    of_folder = zip(found[: len(found) - is_folder], asked, strict=False)
    return len(asked) == len(found) and all(fnmatch.fnmatchcase(part, pattern) for part, pattern in of_folder)


def _is_below(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{os.path.realpath(folder).rstrip('/')}/")


def format_of(path: str) -> str | None:
    """The format that a file's name says: csv, tsv, jsonl or parquet."""
    return FORMATS_BY_SUFFIX.get(suffix_of(path))


def local(name: str) -> str:
    """A local file's URL as a path; any other name as it is."""
    return unquote(name.removeprefix("file://")) if name.startswith("file:///") else name


def _named(name: str, any_format: bool) -> Iterator[Input]:
    if name == STANDARD_INPUT:
        yield Input(name, "answers")
    elif is_remote(name):
        found = remote_files(name)
        by_url = {each.url: each for each in (found if found is not None else [remote_file(name)])}
        for url in _some(list(by_url), name, any_format) if found is not None else by_url:
            yield Input(url, by_url[url].name, by_url[url].size, by_url[url].modified)
    elif os.path.isdir(name):
        below = sorted(_files_below(Path(name)))
        for path in _some(below, name, any_format):
            yield _input(path, os.path.relpath(path, name))
    elif _PATTERN & set(name) and not os.path.lexists(name):
        matching = sorted(path for path in glob.glob(name, recursive=True) if not os.path.isdir(path))
        if not matching:
            raise DataError("no file matches", where=name, mend="check the pattern; quote it for the shell")
        folder = _folder_of(name)
        yield from (_input(path, os.path.relpath(path, folder)) for path in matching)
    else:
        yield _input(name, os.path.basename(name))


def _folder_of(pattern: str) -> str:
    """The folder that all files are below, whatever a pattern stands for."""
    folder = os.path.dirname(pattern)
    while _PATTERN & set(folder):
        folder = os.path.dirname(folder)
    return folder or os.curdir


def _some(found: Sequence[str], where: str, any_format: bool) -> list[str]:
    """Those whose names say a format; DataError if there are none."""
    some = [path for path in found if any_format or format_of(path)]
    if not some:
        what = f"none of its {len(found):,} files is" if found else "holds no"
        mend = "name them for what they are, or say --input-format" if found else "check the path"
        raise DataError(
            f"{what} .csv, .tsv, .jsonl or .parquet{'' if found else ' file'}", where=shown(where), mend=mend
        )
    return some


def _files_below(folder: Path) -> Iterator[str]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith((".", "_")))
        yield from (os.path.join(root, file) for file in files if not file.startswith((".", "_")))


def _input(path: str, name: str) -> Input:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return Input(path, name)  # the reader tells what is wrong with it
    is_file = os.path.isfile(path)
    return Input(path, name, status.st_size if is_file else None, status.st_mtime_ns if is_file else None)
