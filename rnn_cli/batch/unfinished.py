"""A job of one file that has begun: the folder of its parts, and whether such a job may begin. Loads nothing."""

from collections.abc import Collection
from pathlib import Path

from rnn_cli import system
from rnn_cli.batch.stores import LOCK, RECORD, Local, read_record
from rnn_cli.errors import Setting, UsageError
from rnn_cli.outputs import check_file

OUTPUT, REJECTS = "output", "rejects"

GO_ON = Setting("resume", "True", "{} goes on")
"""How to go on with a job that was stopped."""

_OR_START_AGAIN = Setting("force", "True", ", or start again with {}")
GO_ON_OR_REPLACE = Setting("resume", "True", "go on with {}", more=(_OR_START_AGAIN,))
"""What to do with a job that was begun earlier."""


def check_output(output: Path, rejects: Path, inputs: Collection[str] = (), *, resume: bool, force: bool) -> list[str]:
    """Refuse a job that must not begin or replace what is there; `inputs` are the files it reads. Raises UsageError.

    Returns which of OUTPUT and REJECTS the job replaces.
    """
    folder = unfinished(output)
    with system.as_write_error(output, name="output"):
        has_begun = (folder / RECORD).exists()
        if resume and not has_begun and output.exists():
            raise UsageError("stands, and no unfinished job for it", where=str(output), hint="it may be finished")
        if has_begun and not (resume or force):
            raise UsageError("an unfinished job", where=str(folder), hint=GO_ON_OR_REPLACE)
        for file, name in ((output, "output"), (rejects, "rejects")):
            check_file(file, force=force or has_begun, name=name, inputs=inputs)
        if folder.exists() and not has_begun and not (folder.is_dir() and _is_empty(folder)):
            raise UsageError("exists and is not an unfinished job", where=str(folder), hint="move it")
    standing = {name: path for name, path in ((OUTPUT, output), (REJECTS, rejects)) if path.exists()}
    if not (resume and has_begun):
        return list(standing)
    record = read_record(Local(folder), RECORD)
    before: list[str] = record["replaced"]
    if "made" in record:
        return before
    for name, path in standing.items():
        if name not in before and not force:
            raise UsageError(
                "has come meanwhile", where=str(path), hint=Setting("force", "True", "replace it with {}, or move it")
            )
    return sorted({*before, *standing})


def unfinished(output: Path) -> Path:
    """The folder in which a job of this file keeps its parts."""
    return output.with_name(output.name + ".unfinished")


def _is_empty(folder: Path) -> bool:
    """Whether a folder holds nothing but what a job leaves that was killed as it began."""
    left = [file.name for file in folder.rglob("*") if not file.is_dir()]
    return all(name == LOCK or name.startswith(f".{RECORD}.") for name in left)
