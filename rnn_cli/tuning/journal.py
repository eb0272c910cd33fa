"""The log of a search: one JSON value a line, only ever added to, each on the disk before the work goes on.

A trial has a line when it begins and one when it ends. A trial without an end was interrupted: it is run again. A last
line that was not written whole counts as not written. Knows nothing of what a trial is.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TextIO

from rnn_cli import system
from rnn_cli.errors import BundleError

JOURNAL = "journal.jsonl"
JOURNAL_VERSION = 1

MOST_JOURNAL_BYTES = 256 << 20

Ended = Literal["complete", "pruned", "failed", "infeasible", "cut", "skipped"]
"""How a trial ended: measured whole; stopped as it promised less than others; failed, as its training cannot be; broke
a limit; was stopped as the time was over; or was not begun, as it would not have fitted into the time left."""


@dataclass(frozen=True)
class TrialRecord:
    """A trial that has ended.

    `settings` are the config's keys that it changed, `params` what the sampler chose (None for a trial that it did not
    choose). `value` is the goal's figure, None where it was not measured, with its 95 % `interval`; `promises` are the
    steps and figures that the pruner saw. `work` is what it had to do, `epochs` the seconds of each epoch. `excess`
    says by which share it breaks each limit. `asked_after` is how many trials had ended when it was chosen, None for
    all before it. `size` is in bytes, `latency` in seconds, `reason` says why it ended so.
    """

    number: int
    state: Ended
    name: str
    settings: Mapping[str, Any]
    params: Mapping[str, Any] | None
    value: float | None = None
    interval: tuple[float, float] | None = None
    promises: tuple[tuple[int, float], ...] = ()
    seconds: float = 0.0
    work: Mapping[str, float] = field(default_factory=dict)
    epochs: tuple[float, ...] = ()
    size: int | None = None
    latency: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    excess: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    asked_after: int | None = None

    @property
    def lacked_time(self) -> bool:
        """Whether it was not trained whole as the time left had no room for it."""
        return self.state == "cut" or (self.state == "skipped" and bool(self.work))

    @property
    def is_measured(self) -> bool:
        """Whether it may win."""
        return self.state == "complete"


@dataclass
class Journal:
    """A search's log: its `head`, which says what is searched, and the trials that have ended, in their order."""

    path: Path
    head: dict[str, Any]
    ended: list[TrialRecord] = field(default_factory=list)
    seconds: float = 0.0
    """How long earlier processes have searched."""
    finished_at: str | None = None
    """The folder of the winner's model, once it was written."""

    @classmethod
    def begin(cls, folder: Path, head: Mapping[str, Any]) -> "Journal":
        """Write the head of a new log."""
        journal = cls(folder / JOURNAL, {"version": JOURNAL_VERSION, **head})
        with system.as_write_error(journal.path):
            with journal.path.open("x", encoding="utf-8") as file:
                _add(file, {"head": journal.head})
            system.fsync(folder)
        return journal

    @classmethod
    def open(cls, folder: Path) -> "Journal":
        """Read a log, and cut off a last line that is not whole. Raises `BundleError` for any other damage."""
        path = folder / JOURNAL
        if not path.is_file():
            raise BundleError("holds no search", where=str(folder), hint="name the folder of a search (DIR.tune)")
        content = system.read_plain(path, MOST_JOURNAL_BYTES)
        whole = content[: content.rfind(b"\n") + 1]
        lines = whole.decode("utf-8", "replace").splitlines()
        number = 1
        try:
            head = json.loads(lines[0])["head"]
            if head["version"] > JOURNAL_VERSION:
                raise BundleError("written by a newer rnn", where=str(path), hint="upgrade rnn-cli")
            journal = cls(path, head)
            for number, line in enumerate(lines[1:], start=2):  # noqa: B007  (named in the message)
                journal._take(json.loads(line))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            raise BundleError("damaged", where=f"{path}:{number}", hint="begin a new search") from None
        if len(whole) < len(content):
            with system.as_write_error(path):
                os.truncate(path, len(whole))
        return journal

    def _take(self, line: Mapping[str, Any]) -> None:
        if "end" in line:
            kept = dict(line["end"])
            read = {
                "promises": tuple((step, promise) for step, promise in kept["promises"]),
                "epochs": tuple(kept["epochs"]),
                "interval": None if kept["interval"] is None else tuple(kept["interval"]),
            }
            record = TrialRecord(**{**kept, **read})
            if record.number != len(self.ended):
                raise ValueError("trials do not follow each other")
            self.ended.append(record)
            self.finished_at = None
        self.finished_at = line.get("finished", self.finished_at)
        self.seconds = max(self.seconds, float(line.get("at", 0.0)))

    def begins(self, number: int, name: str, settings: Mapping[str, Any], at: float) -> None:
        """Log that a trial begins, `at` seconds after the search began."""
        self._write({"begin": {"number": number, "name": name, "settings": settings}, "at": round(at, 1)})

    def ends(self, record: TrialRecord, at: float) -> None:
        """Log that a trial ended."""
        self._write({"end": asdict(record), "at": round(at, 1)})
        self.ended.append(record)

    def finished(self, path: str, at: float) -> None:
        """Log that the model of the winner was written."""
        self._write({"finished": path, "at": round(at, 1)})
        self.finished_at = path

    def _write(self, line: Mapping[str, Any]) -> None:
        with system.as_write_error(self.path), self.path.open("a", encoding="utf-8") as file:
            _add(file, line)


def _add(file: TextIO, line: Mapping[str, Any]) -> None:
    file.write(json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n")
    file.flush()
    os.fsync(file.fileno())
