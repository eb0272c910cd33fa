"""What a job of scoring files is asked for, and what came of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from rnn_cli.bulk.inputs import Input
from rnn_cli.bundle.signed import checksum
from rnn_cli.data.reading.request import ReadRequest
from rnn_cli.errors import UsageError

STOP, SKIP, MARK = "stop", "skip", "mark"


@dataclass(frozen=True)
class Job:
    """Which files are scored and how the answers are written.

    `how` tells how files are read: fields of `ReadRequest` by their names. `format` is csv, tsv, jsonl or parquet; the
    text formats may have a `compression`, gz or zst. Rows that cannot be read stop the job, are left out (`skip`) or
    are kept without an answer (`mark`), as `on_bad_row` says. `prefix` stands before the names of the columns that are
    added, `proba` adds the probability of every label. With `spreadsheet_safe` no cell of CSV or TSV begins as a
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

    def request(self, file: int, **more: Any) -> ReadRequest:
        """How the file at this place is read."""
        return ReadRequest(self.inputs[file].path, labels=False, **{**self.how, **more})

    def signature(self, **more: object) -> dict[str, str]:
        """What its answers depend on, by name, each as a checksum, with `more` of the same; equal jobs have equal ones.

        So it tells nobody what a URL may hold.
        """
        asked: dict[str, object] = json.loads(json.dumps(asdict(self) | more))
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
        name = words.get(names[0], f"--{names[0].replace('_', '-')}")
        mend = "call it as it was begun, or begin anew with --force"
        raise UsageError(f"was begun with another {name}", where=where, mend=mend)


@dataclass(frozen=True)
class Counts:
    """Rows of a job: `rows` were read, of which `rejected` could not be scored.

    Of the others, `unknown` hold no word that the model knows, and `unsure` are answered so.
    """

    rows: int = 0
    rejected: int = 0
    unknown: int = 0
    unsure: int = 0

    @property
    def scored(self) -> int:
        """Rows that have an answer."""
        return self.rows - self.rejected

    def __add__(self, other: "Counts") -> "Counts":
        """Those of both."""
        both = {name: value + getattr(other, name) for name, value in asdict(self).items()}
        return replace(self, **both)


class Listener(Protocol):
    """Who is told how a job goes; what an earlier call has done of it is not told again."""

    def read(self, count: int) -> None:
        """So many bytes more of the files were read."""

    def scored(self, count: int) -> None:
        """So many rows more are done."""

    def note(self, text: str) -> None:
        """Something worth knowing."""

    def warn(self, text: str) -> None:
        """Something worth looking at."""
