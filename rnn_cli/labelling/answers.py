"""The log of what was answered: lines of JSON that are only ever added, each on the disk before the next text is shown.

The first line says which texts are labelled; each of the others is one step. A step back is a line, too, so nothing is
ever lost. Knows nothing of models, nor of what a text says.
"""

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from rnn_cli import system
from rnn_cli.errors import DataError, UsageError
from rnn_cli.kinds import LEAST_ORDERED, LabelsKind

FORMAT, FIRST_FORMAT = 2, 1
"""The version of the log's format; with one label a text, without an order, logs are of the first."""

LabelOrSet = str | tuple[str, ...]
"""What a text is given: a label; where it may have several, all of them in the order of the labels, or none."""

LABEL, PASS, NOTE, UNDO, ADD, BEGIN = "label", "skip", "note", "undo", "add", "start"
"""The kinds of steps. `add` names a label, `start` a process that goes on with the log."""

CHANCE, VARIED, DOUBT, HINT, SEARCH = "chance", "spread", "unsure", "hint", "search"
"""Why a text was asked: drawn for the figures, one of its kind, an unsure model, a hint, a search ..."""

AFTER, REST = "after", "rest"
"""... another person has labelled it, or it is one of the last."""

MOST_LABELS = 30
"""As many as a keyboard has keys for, which are 1 to 9 and the letters that are no commands."""

PERSON = re.compile(r"[\w-]{1,40}")
"""A person's name, which is a part of the log's."""


@dataclass(frozen=True)
class Answer:
    """What was said of one row, counted from 0: its label, or several; None where it was skipped.

    `chosen` says why the row was asked. `guess` is what the model thought before, None if it had no opinion, and
    `was_shown` whether it could be read. `seconds` is how long the text stood.
    """

    row: int
    label: LabelOrSet | None
    chosen: str
    guess: LabelOrSet | None = None
    was_shown: bool = False
    seconds: float = 0.0
    is_reviewed: bool = False
    """Whether it was given to a text that had a label, which the model doubted."""


@dataclass
class Answers:
    """What a log says in the end: labels in order, the steps that were not taken back, and notes by row.

    `kind` says whether a text has one label, several, or one of labels that have an order, from the lowest on.
    """

    labels: list[str] = field(default_factory=list)
    kind: LabelsKind = "single"
    steps: list[Answer] = field(default_factory=list)
    notes: dict[int, str] = field(default_factory=dict)
    changes: int = 0
    """How many lines have changed anything: who has seen as many has seen all."""
    requests: set[str] = field(default_factory=set)
    """The ids of requests that were followed, each of which a client may send again."""

    def take(self, step: Mapping[str, Any]) -> None:
        """Follow one step. Raises `KeyError`, `TypeError` or `ValueError` where it is none."""
        kind = step["do"]
        if kind in (LABEL, PASS):
            label = self._given(step["label"]) if kind == LABEL else None
            if unknown := [each for each in labels_in(label) if each not in self.labels]:
                raise ValueError(f"no label {unknown[0]!r}")
            self.steps.append(
                Answer(
                    int(step["row"]),
                    label,
                    str(step.get("chosen", "")),
                    None if step.get("guess") is None else self._given(step["guess"]),
                    bool(step.get("shown", False)),
                    float(step.get("seconds", 0)),
                    bool(step.get("reviewed", False)),
                )
            )
        elif kind == UNDO:
            if self.steps:
                self.steps.pop()
        elif kind == NOTE:
            self.notes[int(step["row"])] = str(step["note"])
        elif kind == ADD:
            self.labels.append(str(step["label"]))
        elif kind != BEGIN:
            raise ValueError(f"no step {kind!r}")
        self.changes += kind != BEGIN
        if "request" in step:
            self.requests.add(str(step["request"]))

    def _given(self, logged: Any) -> LabelOrSet:
        """What a line of the log gives a text."""
        if (self.kind == "several") != isinstance(logged, (list, tuple)):
            raise ValueError(f"{logged!r} is {'no list of labels' if self.kind == 'several' else 'no label'}")
        return tuple(str(each) for each in logged) if self.kind == "several" else str(logged)

    @property
    def by_row(self) -> dict[int, Answer]:
        """The last answer to each row, in order of the rows' first answers."""
        return {each.row: each for each in self.steps}

    @property
    def labelled(self) -> dict[int, LabelOrSet]:
        """The label of each row that has one, or its labels."""
        return {row: each.label for row, each in self.by_row.items() if each.label is not None}


def labels_in(label: LabelOrSet | None) -> tuple[str, ...]:
    """The labels of an answer; none where it was skipped."""
    return () if label is None else (label,) if isinstance(label, str) else label


@dataclass(frozen=True)
class LogHead:
    """The first line of a log: which texts it is about, and by whom it is."""

    source: str
    rows: int
    fingerprint: str
    """SHA-256, in hex, of all texts in order."""
    by: str | None = None

    def check(self, rows: int, fingerprint: str, log: Path) -> None:
        """Raise `DataError` where the texts are not those that were labelled."""
        if (self.rows, self.fingerprint) == (rows, fingerprint):
            return
        what = "its texts are not those that were labelled"
        if self.rows != rows:
            what += f" ({rows:,} rows, {self.rows:,} then)"
        hint = f"put the old file back, or move {log} away to begin anew"
        raise DataError(what, where=self.source, hint=hint)


def check_count(labels: Collection[str]) -> None:
    """Raise `UsageError` where these are more labels than there are keys."""
    if len(labels) > MOST_LABELS:
        hint = "label in two passes: first kinds of labels, then each kind's file"
        raise UsageError(f"{len(labels)} labels are more than there are keys ({MOST_LABELS})", hint=hint)


def log_of(source: str, by: str | None = None) -> Path:
    """The log of a file of texts: beside it, or here for a built-in set. Raises `UsageError` for an unfit name."""
    if by is not None and not PERSON.fullmatch(by):
        raise UsageError("a name has up to 40 letters, digits, - and _", where="--as")
    return Path(f"{source.rstrip('/')}.labels{'' if by is None else f'.{by}'}.jsonl")


def read_log(log: Path) -> tuple[LogHead, Answers]:
    """What a log says; changes nothing. A last line that was cut off is passed over. Raises `DataError`."""
    try:
        content = log.read_bytes()
    except FileNotFoundError:
        raise DataError("no such file", where=str(log), hint="nothing is labelled yet: rnn label FILE") from None
    except OSError as error:
        raise DataError(system.reason(error), where=str(log)) from None
    return _read(content[: whole_length(content)], log)


def whole_length(content: bytes) -> int:
    """The number of bytes of whole lines: a process that is killed while it writes leaves a part of one."""
    return content.rfind(b"\n") + 1


def _read(content: bytes, log: Path) -> tuple[LogHead, Answers]:
    first, *rest = content.split(b"\n")[:-1] or [b""]
    try:
        head = json.loads(first)
        if head["format"] > FORMAT:
            raise DataError("was written by a newer rnn", where=str(log), hint="use that version, or a newer one")
        known = LogHead(str(head["source"]), int(head["rows"]), str(head["fingerprint"]), head.get("by"))
        answers = Answers([str(each) for each in head["labels"]], head.get("kind", "single"))
        if answers.kind not in get_args(LabelsKind):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise DataError("is no log of labels", where=f"{log}:1", hint="move it away to begin anew") from None
    for number, line in enumerate(rest, start=2):
        try:
            answers.take(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            what = f"is no step of a log of labels ({error})"
            raise DataError(
                what, where=f"{log}:{number}", hint="put a copy of the log back, or remove the line"
            ) from None
    return known, answers


class AnswerLog:
    """A log that this process holds, to be added to; `answers` is what it says."""

    def __init__(self, path: Path, head: LogHead, answers: Answers, handle: int) -> None:
        self.path, self.head, self.answers = path, head, answers
        self.added: list[str] = []
        """Labels that were named now, and that the log did not know."""
        self.request: str | None = None
        """The id of the request that is being followed; it is kept with what it changes."""
        self._handle = handle

    def add(self, **step: Any) -> None:
        """Add a step, and see it onto the disk. Raises `WriteError`; then nothing has changed."""
        if self.request is not None:
            step["request"] = self.request
        self.write(step)
        self.answers.take(step)

    def write(self, line: Mapping[str, Any]) -> None:
        """Write a line, and see it onto the disk. Raises `WriteError`; then the log is as before."""
        content = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        before = os.fstat(self._handle).st_size
        with system.as_write_error(self.path, name="FILE"):
            try:
                written = 0
                while written < len(content):
                    written += os.write(self._handle, content[written:])
                os.fsync(self._handle)
            except OSError:
                os.ftruncate(self._handle, before)  # a part of a line, on a full disk
                raise


@contextmanager
def hold_log(
    path: Path,
    source: str,
    rows: int,
    fingerprint: str,
    labels: Sequence[str],
    by: str | None = None,
    kind: LabelsKind | None = None,
) -> Iterator[AnswerLog]:
    """Hold a log while the block runs, and make it if there is none; labels that it does not know are added.

    `kind` may be left out when going on. A last line that was cut off is removed. Raises `UsageError` where another
    process holds it, where there is neither a log nor labels, more labels than keys, or a log of another kind;
    `DataError` where the texts have changed; `WriteError`.
    """
    is_new = not path.exists() or not path.stat().st_size
    if is_new and len(labels) < 2:
        hint = "name two or more: rnn label FILE --labels positive,negative"
        raise UsageError("nothing is labelled yet, and no labels are named", where=source, hint=hint)
    if is_new and kind == "ordered" and len(labels) < LEAST_ORDERED:
        what = f"labels with an order are {LEAST_ORDERED} or more, from the lowest on"
        raise UsageError(what, where="--labels", hint="leave out --ordered: two labels have an order anyway")
    process = None if is_new else _last_process(path)
    who = f"process {process}" if process else "another process"
    hint = (
        f"end that one first{f' (q there, or kill {process})' if process else ''}, or label as someone else: --as NAME"
    )
    taken = UsageError(f"{who} is labelling it", where=source, hint=hint)
    with ExitStack() as held:
        with system.as_write_error(path, name="FILE"):
            held.enter_context(system.locked(path, taken))
            handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            held.callback(os.close, handle)
        yield _opened(path, LogHead(source, rows, fingerprint, by), labels, handle, kind)


def _opened(path: Path, head: LogHead, labels: Sequence[str], handle: int, kind: LabelsKind | None) -> AnswerLog:
    """The log behind a handle, begun or gone on with."""
    content = path.read_bytes()
    whole = whole_length(content)
    if whole < len(content):
        with system.as_write_error(path, name="FILE"):
            os.ftruncate(handle, whole)
    if whole:
        known, answers = _read(content[:whole], path)
        known.check(head.rows, head.fingerprint, path)
        log = AnswerLog(path, known, answers, handle)
        _check_kind(answers, kind, labels, head.source)
    else:
        log = AnswerLog(path, head, Answers(list(labels), kind or "single"), handle)
        is_first = log.answers.kind == "single"
        first = {
            "format": FIRST_FORMAT if is_first else FORMAT,
            "source": head.source,
            "rows": head.rows,
            "fingerprint": head.fingerprint,
        }
        of_kind = {} if is_first else {"kind": log.answers.kind}
        log.write({**first, **({"by": head.by} if head.by else {}), **of_kind, "labels": list(labels)})
        with system.as_write_error(path, name="FILE"):
            system.fsync(path.parent)
    check_count({*log.answers.labels, *labels})
    log.add(do=BEGIN, pid=os.getpid())
    log.added = [label for label in labels if label not in log.answers.labels]
    for label in log.added:
        log.add(do=ADD, label=label)
    return log


def _check_kind(answers: Answers, kind: LabelsKind | None, labels: Sequence[str], source: str) -> None:
    """Raise `UsageError` where the log is not of this kind, or where a label would come after those in an order."""
    if kind not in (None, answers.kind):
        option = {"single": "without --several and --ordered"}.get(answers.kind, f"with --{answers.kind}")
        raise UsageError(
            f"was begun {option}", where=source, hint="leave the option out to go on, or begin anew: --as NAME"
        )
    if answers.kind == "ordered" and not set(labels) <= set(answers.labels):
        raise UsageError(
            "an order of labels is fixed", where="--labels", hint=f"those of the log: {', '.join(answers.labels)}"
        )


def _last_process(path: Path) -> int | None:
    """The process that began to go on with the log last."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return None
    for line in reversed(lines):
        if b'"do": "start"' in line:
            try:
                return int(json.loads(line)["pid"])
            except (ValueError, KeyError, TypeError):
                return None
    return None
