"""Folders that files are written to, whole or not at all: local ones, and those that a URL names."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from rnn_cli import system
from rnn_cli.bundle.model_folder import sign, unsign
from rnn_cli.data.reading.remote import file_system, is_remote, shown
from rnn_cli.errors import RunFailed, Setting, UsageError
from rnn_cli.outputs import check_folder
from rnn_cli.system import read_plain, reason

LOCK = ".lock"
_MOST_BYTES = 64 << 20
"""Of a file that is read again: a record, whose length grows with the parts that have unsure rows."""


@contextmanager
def refusals_named(output: Path | str) -> Iterator[None]:
    """Raise `RunFailed`, which names `output`, for what the disk refuses inside the block."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        what = f"cannot be written ({reason(error)})"
        raise RunFailed(what, where=str(output), hint="make room or choose another place") from error


class Store(Protocol):
    """A folder of files; names are those of files below it, with / between folders."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file, which appears when it is whole."""

    def read(self, name: str) -> bytes | None:
        """A file's bytes; None where there is none."""

    def names(self) -> list[str]:
        """All files below it, those that are half-written too."""

    def held(self) -> AbstractContextManager[None]:
        """Only one process works in it, where the system can show it; a folder that was made and stays empty goes."""

    def clear(self, names: list[str]) -> None:
        """Delete files."""

    def shown(self, name: str) -> str:
        """How a message names a file."""


def store_of(name: str) -> Store:
    """The folder that a path or a URL names."""
    return Remote(name) if is_remote(name) else Local(Path(name))


class Local:
    """A folder of this machine, or one that all workers share."""

    def __init__(self, folder: Path, shown_as: Path | None = None) -> None:
        """A folder; what the disk refuses to write in it is an error of the file `shown_as`, if one is made of it."""
        self._folder, self._shown_as = Path(os.path.abspath(folder)), shown_as
        check_folder(folder, force=True, name="output")

    def __str__(self) -> str:
        """How messages name it."""
        return os.path.relpath(self._folder)

    def write(self, name: str, content: bytes) -> None:
        """Write a file, which appears when it is whole."""
        file = self._folder / name
        with refusals_named(self._shown_as or file):
            file.parent.mkdir(parents=True, exist_ok=True)
            with system.whole_file(file) as part:
                part.write_bytes(content)

    def read(self, name: str) -> bytes | None:
        """A file's bytes; None where there is none."""
        file = self._folder / name
        return read_plain(file, _MOST_BYTES) if file.exists() else None

    def names(self) -> list[str]:
        """All files below it, those that are half-written too."""
        return [
            name
            for file in self._folder.rglob("*")
            if file.is_file() and (name := file.relative_to(self._folder).as_posix()) != LOCK
        ]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Only one process works in it; it goes again if it was made for that and stays empty."""
        is_new = not self._folder.exists()
        lock = system.locked(self._folder / LOCK, UsageError("another process is working on it", where=str(self)))
        with ExitStack() as stack:
            with refusals_named(self._shown_as or self._folder):
                self._folder.mkdir(parents=True, exist_ok=True)
                is_held = stack.enter_context(lock)
            try:
                yield
            finally:
                if is_held():
                    with refusals_named(self._shown_as or self._folder / LOCK):
                        (self._folder / LOCK).unlink(missing_ok=True)
                if is_new:
                    system.remove_if_empty(self._folder)

    def clear(self, names: list[str]) -> None:
        """Delete files."""
        for name in names:
            with refusals_named(self._shown_as or self._folder / name):
                (self._folder / name).unlink(missing_ok=True)

    def shown(self, name: str) -> str:
        """How a message names a file."""
        return f"{self}/{name}"


OBJECT_STORES = ("s3", "gcs", "abfs")
"""Where a file appears when it has been sent whole; elsewhere it is renamed then."""


class Remote:
    """A folder that a URL names."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def __str__(self) -> str:
        """How messages name it."""
        return shown(self._url)

    def _at(self, name: str) -> tuple[Any, str]:
        found, folder = file_system(self._url)
        return found, f"{folder.rstrip('/')}/{name}"

    def write(self, name: str, content: bytes) -> None:
        """Write a file, which appears when it is whole."""
        found, path = self._at(name)
        with refusals_named(self.shown(name)):
            if found.type_name in OBJECT_STORES:
                with found.open_output_stream(path) as stream:
                    stream.write(content)
                return
            folder, _, last = path.rpartition("/")
            found.create_dir(folder, recursive=True)
            part = f"{folder}/.{last}.{uuid4().hex}.part"
            with found.open_output_stream(part) as stream:
                stream.write(content)
            found.move(part, path)

    def read(self, name: str) -> bytes | None:
        """A file's bytes; None where there is none."""
        found, path = self._at(name)
        with refusals_named(self.shown(name)):
            if not found.get_file_info(path).is_file:
                return None
            with found.open_input_stream(path) as stream:
                return bytes(stream.read())

    def names(self) -> list[str]:
        """All files below it, those that are half-written too."""
        from pyarrow import fs

        found, folder = file_system(self._url)
        base = folder.rstrip("/")
        with refusals_named(str(self)):
            listed = found.get_file_info(fs.FileSelector(base, recursive=True, allow_not_found=True))
        return [each.path[len(base) + 1 :] for each in listed if each.is_file]

    def held(self) -> AbstractContextManager[None]:
        """No lock is to be had there."""
        return nullcontext()

    def clear(self, names: list[str]) -> None:
        """Delete files."""
        for name in names:
            found, path = self._at(name)
            with refusals_named(self.shown(name)):
                found.delete_file(path)

    def shown(self, name: str) -> str:
        """How a message names a file."""
        return f"{self}/{name}"


RECORD = "_job.json"
"""The file below a job's folder that says whose it is."""

_VERSION = 1


def write_record(store: Store, name: str, content: Mapping[str, Any]) -> None:
    """Write what a job must find again below its folder, with a checksum."""
    store.write(name, sign({"format_version": _VERSION, **content}).encode())


def read_record(store: Store, name: str) -> dict[str, Any]:
    """What `write_record` wrote. Raises BundleError where it is damaged."""
    text = (store.read(name) or b"").decode("utf-8", "replace")
    return unsign(text, newest=_VERSION, where=store.shown(name), hint=Setting("force", "True", "start again with {}"))
