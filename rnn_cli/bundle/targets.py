"""Where a report, its charts and an export may be written: where nothing stands, or, if asked, over earlier ones.

Loads nothing, so that a name in the way is told before any work is done.
"""

from pathlib import Path

from rnn_cli.bundle.model_folder import MANIFEST
from rnn_cli.bundle.writer import check_target
from rnn_cli.errors import BundleError, UsageError

MARK = '<meta name="generator" content="rnn report">'
"""What every report holds near its beginning."""

NEAR = 2_000
"""How many bytes that is."""

CHARTS = ("confusion", "roc", "precision-recall", "scores", "calibration", "loss", "accuracy")
FORMATS = ("png", "svg")
"""Each chart's file is named NAME.FORMAT."""


def check_report(out: Path, *, force: bool) -> None:
    """Refuse to write a report where something stands; with `force`, where it is no report. Raises `UsageError`."""
    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError("is not the name of an HTML file", where=str(out), hint=f"use {out.stem or 'report'}.html")
    if not out.parent.is_dir():
        raise UsageError("no such folder", where=str(out.parent), hint="make it first")
    _refuse_model(out)
    if not (out.exists() or out.is_symlink()):
        return
    if not _is_report(out):
        raise UsageError("exists and is not a report", where=str(out), hint="choose another name")
    if not force:
        raise UsageError("exists", where=str(out), hint="use --force to replace it, or choose another name")


def check_plots(out: Path, *, force: bool) -> None:
    """Refuse to write charts to a folder that holds something; with `force`, something else. Raises `UsageError`."""
    _refuse_model(out)
    if not (out.exists() or out.is_symlink()):
        return
    if not out.is_dir():
        raise UsageError("is not a folder", where=str(out), hint="choose another name")
    found = {file.name for file in out.iterdir()}
    if foreign := sorted(found - {f"{name}.{kind}" for name in CHARTS for kind in FORMATS}):
        raise UsageError(f"holds {foreign[0]}, which would be lost", where=str(out), hint="choose another name")
    if found and not force:
        raise UsageError("exists", where=str(out), hint="use --force to replace its charts, or choose another name")


def _refuse_model(out: Path) -> None:
    for folder in (out, out.parent):
        if (folder / MANIFEST).exists():
            raise _inside_model(folder, "choose another place")


def _inside_model(folder: Path, hint: str) -> UsageError:
    return UsageError("is a trained model's folder, in which nothing may change", where=str(folder), hint=hint)


def _is_report(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return MARK.encode() in stream.read(NEAR)
    except OSError:
        return False


RUNTIME = "rnn_runtime"
"""In an export, the package of what `predict.py` needs of rnn."""

CACHE = "__pycache__"
"""What Python leaves beside a script that was imported."""


def check_export_folder(model: Path, to: Path, *, force: bool) -> None:
    """Refuse, before any work is done, to write where something stands, or into a trained model's folder.

    With `force` an earlier export, or another trained model, may be replaced if it holds nothing but its own files.
    Raises `BundleError` or `UsageError`.
    """
    if to.resolve() == model.resolve():
        raise UsageError("is the model itself", where=str(to), hint="choose another --to")
    if (to.resolve().parent / MANIFEST).exists():
        raise _inside_model(to.parent, "choose another --to")
    check_target(to, force=force, option="--to", besides={CACHE, RUNTIME})
    for file in (to / RUNTIME).rglob("*"):
        if file.suffix not in (".py", ".pyc") and not file.is_dir():
            raise BundleError(
                f"holds {file.relative_to(to)}, which is no part of the model",
                where=str(to),
                hint="move it, or use another --to",
            )
