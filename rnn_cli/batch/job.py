"""What a job of scoring files is asked for, and what came of it."""

import fnmatch
import glob
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import unquote

from rnn_cli.bundle.model_folder import checksum
from rnn_cli.data.reading.folders import Texts, look_into
from rnn_cli.data.reading.names import format_of
from rnn_cli.data.reading.remote import STANDARD_INPUT, is_remote, remote_file, remote_files, shown
from rnn_cli.data.reading.table import ReadRequest
from rnn_cli.errors import DataError, Setting, UsageError
from rnn_cli.formats import PASSED_OVER, PATTERN, is_pattern
from rnn_cli.scoring.unknown import UnknownTokens


@dataclass(frozen=True)
class Input:
    """A file to read, or a folder of texts. `name` is its path below the folder it was found in.

    `size` is in bytes; `modified` tells a file from a later one of that name (nanoseconds). None where unknown.
    """

    path: str
    name: str
    size: int | None = None
    modified: int | None = None


def find_inputs(names: Sequence[str], *, any_format: bool = False) -> list[Input]:
    """The files that names stand for, each name's in sorted order.

    Of a folder these are the files in it and in its folders whose names say a format that can be read (all, with
    `any_format`); hidden ones, and those that begin with _, are passed over. A folder of texts, .txt files, is one
    itself. Raises DataError where there is none, or
    one twice.
    """
    if STANDARD_INPUT in names and len(names) > 1:
        raise DataError("the standard input cannot be read beside files", hint="give it alone: rnn score -")
    found = [each for name in names for each in _named(local(name), any_format)]
    seen: set[str] = set()
    for each in found:
        file = each.path if is_remote(each.path) else os.path.realpath(each.path)
        if file in seen:
            raise DataError("is named twice", where=shown(each.path), hint="name each file once")
        seen.add(file)
    return found


def would_read(name: str, path: str, *, is_folder: bool) -> bool:
    """Whether a folder or a pattern may stand for a file, or for files in a folder, that will be there later."""
    name, path = local(name), path.rstrip("/")
    if is_remote(name) or is_remote(path):
        place = name.partition("?")[0]
        folder = place.rpartition("/")[0] if PATTERN & set(place) or format_of(place) else place.rstrip("/")
        return format_of(place) is None and path.startswith(f"{folder}/")
    path = os.path.realpath(path)
    if os.path.isdir(name):
        return _is_below(path, name)
    if not PATTERN & set(name) or os.path.lexists(name):
        return False
    if "**" in name:
        return _is_below(path, _folder_of(name))
    asked, found = Path(os.path.abspath(name)).parts, Path(path).parts + ("",) * is_folder
    of_folder = zip(found[: len(found) - is_folder], asked, strict=False)
    return len(asked) == len(found) and all(fnmatch.fnmatchcase(part, pattern) for part, pattern in of_folder)


def _is_below(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{os.path.realpath(folder).rstrip('/')}/")


def local(name: str) -> str:
    """A local file's URL as a path; any other name as it is."""
    return unquote(name.removeprefix("file://")) if name.startswith("file:///") else name


def _named(name: str, any_format: bool) -> Iterator[Input]:
    if name == STANDARD_INPUT:
        yield Input(name, "predictions")
    elif is_remote(name):
        found = remote_files(name)
        by_url = {each.url: each for each in (found if found is not None else [remote_file(name)])}
        for url in _some(list(by_url), name, any_format) if found is not None else by_url:
            yield Input(url, by_url[url].name, by_url[url].size, by_url[url].modified)
    elif os.path.isdir(name):
        below = sorted(_files_below(Path(name)))
        if not any_format and not any(map(format_of, below)) and any(path.lower().endswith(".txt") for path in below):
            yield _of_texts(name)
            return
        for path in _some(below, name, any_format):
            yield _input(path, os.path.relpath(path, name))
    elif is_pattern(name):
        matching = sorted(path for path in glob.glob(name, recursive=True) if not os.path.isdir(path))
        if not matching:
            raise DataError("no file matches", where=name, hint="check the pattern; quote it for the shell")
        folder = _folder_of(name)
        yield from (_input(path, os.path.relpath(path, folder)) for path in matching)
    else:
        yield _input(name, os.path.basename(name))


def _folder_of(pattern: str) -> str:
    """The folder that all files are below, whatever a pattern stands for."""
    folder = os.path.dirname(pattern)
    while PATTERN & set(folder):
        folder = os.path.dirname(folder)
    return folder or os.curdir


def _some(found: Sequence[str], where: str, any_format: bool) -> list[str]:
    """Those whose names say a format; DataError if there are none."""
    some = [path for path in found if any_format or format_of(path)]
    if not some:
        what = f"none of its {len(found):,} files is" if found else "holds no"
        hint = "name them for what they are, or say --input-format" if found else "check the path"
        raise DataError(
            f"{what} .csv, .tsv, .jsonl, .parquet or .xlsx{'' if found else ' file'}", where=shown(where), hint=hint
        )
    return some


def _files_below(folder: Path) -> Iterator[str]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith(PASSED_OVER))
        yield from (os.path.join(root, file) for file in files if not file.startswith(PASSED_OVER))


def _input(path: str, name: str) -> Input:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return Input(path, name)  # the reader tells what is wrong with it
    is_file = os.path.isfile(path)
    return Input(path, name, status.st_size if is_file else None, status.st_mtime_ns if is_file else None)


def _of_texts(folder: str) -> Input:
    """A folder of texts, which is another one once a file in it is."""
    found = look_into(folder, labels=False)
    assert isinstance(found, Texts)
    paths = [os.path.join(folder, name) for name, _ in found.files]
    files = [os.stat(path) for path in paths]
    places = [os.stat(path) for path in {folder, *map(os.path.dirname, paths)}]  # which know of renamed files
    newest = max(status.st_mtime_ns for status in (*files, *places))
    return Input(folder, os.path.basename(os.path.abspath(folder)), sum(each.st_size for each in files), newest)


STOP, SKIP, MARK = "stop", "skip", "mark"

OnBadRow = Literal["stop", "skip", "mark"]
Engine = Literal["local", "ray"]


@dataclass(frozen=True)
class Job:
    """Which files are scored and how the predictions are written.

    `how` tells how files are read: fields of `ReadRequest` by their names. `format` is csv, tsv, jsonl or parquet; the
    text formats may have a `compression`, gz or zst. Rows that cannot be read stop the job, are left out (`skip`) or
    are kept without a prediction (`mark`), as `on_bad_row` says. `prefix` stands before the names of the columns that
    are added, `proba` adds the probability of every label, and a `coverage` a set of labels that holds
    the true one that often. With `spreadsheet_safe` no cell of CSV or TSV begins as a
    formula does.
    """

    inputs: tuple[Input, ...]
    format: str
    how: Mapping[str, Any] = field(default_factory=dict)
    compression: str | None = None
    on_bad_row: str = STOP
    prefix: str = ""
    proba: bool = False
    spreadsheet_safe: bool = False
    coverage: float | None = None

    def request(self, file: int, **more: Any) -> ReadRequest:
        """How the file at this place is read."""
        return ReadRequest(self.inputs[file].path, labels=False, **{**self.how, **more})

    def signature(self, **more: object) -> dict[str, str]:
        """What its predictions depend on, by name, each as a checksum, with `more` of the same.

        Equal jobs have equal signatures. Checksums keep secret what a URL may hold.
        """
        asked: dict[str, object] = json.loads(json.dumps(asdict(self) | more))
        if self.coverage is None:  # as earlier releases had it, so that their jobs go on
            del asked["coverage"]
        bad_rows = {"on_bad_row": self.on_bad_row}
        return {name: checksum({name: value}) for name, value in asked.items()} | bad_rows


def refuse_another(before: Mapping[str, Any], now: Mapping[str, Any], where: str) -> None:
    """Raise UsageError, which says what differs of two signatures, where one job cannot go on where the other ended.

    One that a bad row stopped may go on by passing over such rows.
    """
    words = {
        "inputs": "input, or it has changed",
        "how": "way to read the input",
        "model": "model",
        "division": "release of rnn",
    }
    names = [name for name in now if before.get(name) != now[name]]
    if (before.get("on_bad_row"), now["on_bad_row"]) == (STOP, SKIP):
        names.remove("on_bad_row")
    if names:
        name = words.get(names[0], names[0])
        hint = Setting("force", "True", "call it as it was begun, or start again with {}")
        raise UsageError(f"was begun with another {name}", where=where, hint=hint)


@dataclass(frozen=True)
class Counts:
    """Rows of a job: `rows` were read, of which `rejected` could not be scored.

    Of the others, `unknown` hold no word that the model knows, and `unsure` are predicted so; `seen` have labels, and
    the model learned from them.
    `tokens` are those of the rows that this call scored, and no earlier one.
    """

    rows: int = 0
    rejected: int = 0
    unknown: int = 0
    unsure: int = 0
    seen: int = 0
    tokens: UnknownTokens = field(default=UnknownTokens(), compare=False)

    @property
    def scored(self) -> int:
        """Rows that have a prediction."""
        return self.rows - self.rejected

    def to_dict(self) -> dict[str, int]:
        """What a record keeps of them."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.compare}

    def __add__(self, other: "Counts") -> "Counts":
        """Those of both."""
        return Counts(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})


class ScoringListener(Protocol):
    """Hears how a job goes on; nothing is reported again of what an earlier call did."""

    def to_read(self, size: int | None) -> None:
        """The files have so many bytes in all; None where that is not known."""

    def read(self, count: int) -> None:
        """So many more bytes of the files were read."""

    def scored(self, count: int) -> None:
        """So many more rows are done."""

    def note(self, text: str) -> None:
        """Something worth knowing."""

    def warn(self, text: str) -> None:
        """Something that a reader may not expect."""
