"""Folders and patterns as sources of rows: the files of one table, or texts, a file each, in a folder for each label.

A table's files are those of one format, as data sets are published: train-00000-of-00002.parquet. Texts are .txt files,
as aclImdb/train/pos/0_9.txt. Hidden files, and those that begin with _, are passed over. Reads no file.
"""

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rnn_cli.data.reading.names import format_of, suffix_of
from rnn_cli.data.reading.opening import unreadable
from rnn_cli.data.reading.remote import is_remote, remote_files, shown
from rnn_cli.errors import DataError, few_of, quoted
from rnn_cli.formats import PASSED_OVER, PATTERN, is_pattern

UNLABELLED = "unsup"
"""The folder of texts without labels, beside those of two or more labels."""

_SPLIT = re.compile(r"(?:^|[-_. ])(train|test|validation|valid|val|dev|eval|unsupervised)(?:[-_. ]|$)", re.IGNORECASE)
_LIST = re.compile(r"urls_\w+\.txt")  # beside the folders of aclImdb
_OF_MODEL = frozenset({"manifest.json", "tokenizer.json"})


@dataclass(frozen=True)
class TableFiles:
    """The files of one table, in order; `left_out` are files beside them that are not read."""

    name: str
    files: tuple[str, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Texts:
    """The texts below a folder, each by its path in it and its label; `notes` say what is not read."""

    folder: str
    files: tuple[tuple[str, str | None], ...]
    notes: tuple[str, ...] = ()


def table_of(source: str, *, labels: bool) -> TableFiles | None:
    """The files of the table that a folder or a pattern stands for; None for a file, or a folder of texts.

    Raises DataError where it stands for none, or for several tables.
    """
    if is_remote(source):
        address = source.partition("?")[0]
        if not (address.endswith("/") or PATTERN & set(address.rpartition("/")[2])):
            return None
        found = remote_files(source)
        return None if found is None else _table(source, [each.url for each in found], is_whole=address.endswith("/"))
    if os.path.isdir(source):
        inside = look_into(source, labels=labels)
        return inside if isinstance(inside, TableFiles) else None
    if not is_pattern(source):
        return None
    files = sorted(path for path in glob.glob(source, recursive=True) if not os.path.isdir(path))
    if not files:
        raise DataError("no file matches", where=source, hint="check the pattern")
    return _table(source, files, is_whole=False)


def look_into(folder: str, *, labels: bool) -> TableFiles | Texts:
    """What a folder holds: a table's files, or texts. Raises DataError where it is neither, or both."""
    folders, files = _entries(folder)
    if _OF_MODEL <= set(files):
        raise DataError("is a trained model, not rows", where=folder, hint="rnn train --from trains it further")
    data = [name for name in files if format_of(name)]
    texts = [name for name in files if _is_text(name)]
    if data and folders:
        what = f"holds files of rows ({few_of(data)}) and folders ({few_of(folders)})"
        raise DataError(what, where=folder, hint=f"name one of them, as {quoted(os.path.join(folder, folders[0]))}")
    if data:
        return _table(folder, [os.path.join(folder, name) for name in files], is_whole=True)
    if folders:
        texts = [name for name in texts if not _LIST.fullmatch(name)]
        if texts and not labels:
            what = f"holds texts ({few_of(texts)}) and folders ({few_of(folders)})"
            raise DataError(what, where=folder, hint=f"name the folders, as {quoted(os.path.join(folder, folders[0]))}")
        return _by_label(folder, folders, files, labels=labels)
    if not texts:
        hint = "name a folder of .csv, .tsv, .jsonl, .parquet or .xlsx files, or of .txt files in a folder per label"
        raise DataError("holds no rows and no texts", where=folder, hint=hint)
    if labels:
        hint = "put those of each label into a folder of its name, as pos/ and neg/"
        raise DataError(f"its texts ({few_of(texts)}) have no labels", where=folder, hint=hint)
    _refuse_others(folder, files)
    return Texts(folder, tuple((name, None) for name in texts))


def _entries(folder: str) -> tuple[list[str], list[str]]:
    """The names of the folders in a folder, and of its files, each sorted. Raises DataError."""
    folders, files = list[str](), list[str]()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(PASSED_OVER):
                    (folders if entry.is_dir() else files).append(entry.name)
    except OSError as error:
        raise unreadable(folder, error) from None
    for name in (*folders, *files):
        if os.fsencode(name).decode("utf-8", "replace") != name:
            raise DataError(f"the name {name!r} is not UTF-8", where=folder, hint="rename it")
    return sorted(folders), sorted(files)


def _is_text(name: str) -> bool:
    return name.lower().endswith(".txt")


def _table(name: str, files: Sequence[str], *, is_whole: bool) -> TableFiles:
    """The files of a table; `is_whole` if they are all that a folder holds. Raises DataError."""
    where = shown(name)
    data = [file for file in files if format_of(file)]
    left_out = tuple(os.path.basename(shown(file)) for file in files if file not in set(data))
    if not data or (left_out and not is_whole):
        what = f"stands for {few_of(left_out)}, which is not a file of rows" if left_out else "holds no files of rows"
        raise DataError(what, where=where, hint="name files of .csv, .tsv, .jsonl, .parquet or .xlsx")
    first_of = {format_of(file): shown(file) for file in reversed(data)}
    if len(first_of) > 1:
        what = f"stands for files of several formats ({few_of(sorted(first_of.values()))})"
        raise DataError(what, where=where, hint="name those of one, as by a pattern")
    splits = {found[1].lower(): file for file in reversed(data) if (found := _SPLIT.search(_stem(file)))}
    if is_whole and len(splits) > 1:
        one = sorted(splits)[0] if "train" not in splits else "train"
        pattern = f"{name.rstrip('/')}/{one}*{suffix_of(splits[one])}"
        hint = f"name one by a pattern, as {quoted(pattern)}"
        raise DataError(f"holds several splits ({', '.join(sorted(splits))})", where=where, hint=hint)
    return TableFiles(where, tuple(data), left_out)


def _stem(file: str) -> str:
    return os.path.basename(file.partition("?")[0] if is_remote(file) else file).partition(".")[0]


def _by_label(folder: str, folders: Sequence[str], beside: Sequence[str], *, labels: bool) -> Texts:
    """The texts in folders of their labels' names. Raises DataError."""
    found: dict[str, list[str]] = {name: _texts_in(folder, name) for name in folders}
    notes: list[str] = []
    if beside:
        notes.append(f"left out, as they are in no label's folder: {few_of(beside)}")
    if labels and UNLABELLED in found and len(found) > 2:
        notes.append(f"left out are the {len(found.pop(UNLABELLED)):,} texts in {UNLABELLED}, which have no label")
    files = [(f"{label}/{name}", label) for label, names in found.items() for name in names]
    return Texts(folder, tuple(files), tuple(f"{folder}: {note}" for note in notes))


def _texts_in(folder: str, label: str) -> list[str]:
    path = os.path.join(folder, label)
    folders, files = _entries(path)
    data = [name for name in files if format_of(name)]
    if folders or data:
        what = f"its folders hold {'folders' if folders else 'files of rows'} (as {label}/{(folders or data)[0]})"
        raise DataError(what, where=folder, hint=f"name one of them, as {quoted(path)}")
    _refuse_others(path, files)
    if not files:
        raise DataError("holds no .txt file", where=path, hint="give it texts, or remove it")
    return files


def _refuse_others(folder: str, files: Sequence[str]) -> None:
    """Raise DataError for what is no text in a folder of texts."""
    if others := [name for name in files if not _is_text(name) or not os.path.isfile(os.path.join(folder, name))]:
        what = f"holds {few_of(others)} beside texts, which {'is' if len(others) == 1 else 'are'} no .txt"
        raise DataError(what, where=folder, hint="move what is no text elsewhere")
