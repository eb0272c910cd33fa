"""Where a command may write: where nothing stands, or, if asked, over what such a command wrote before.

The one place for this question; a job of scored files adds what it knows of unfinished ones. Loads nothing, so that a
name in the way is refused before any work is done.
"""

import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from rnn_cli.bundle.model_folder import MANIFEST, MOST_BYTES, RUNS, Manifest
from rnn_cli.errors import BundleError, UsageError, quoted
from rnn_cli.system import read_plain

REPORT_MARK = '<meta name="generator" content="rnn report">'
"""What every report holds near its beginning."""

NEAR = 2_000
"""How many bytes that is."""

CHARTS = ("confusion", "roc", "precision-recall", "scores", "calibration", "loss", "accuracy")
PICTURE_FORMATS = ("png", "svg")
"""Each chart's file is named NAME.FORMAT."""


def check_file(
    out: Path,
    *,
    force: bool,
    option: str = "--out",
    read: Iterable[str] = (),
    is_own: Callable[[Path], bool] | None = None,
) -> None:
    """Refuse to write a file where something stands; with `force`, where it is not one that may be replaced.

    Not to be replaced are a folder, a device, a file of `read`, and what is not `is_own`. `option` names the file on
    the command line. Raises `UsageError`.
    """
    another = f"choose another {option}"
    if out.is_dir():
        raise UsageError("is a folder", where=str(out), hint="name a file in it")
    if not out.parent.is_dir():
        raise UsageError("no such folder", where=str(out.parent), hint="make it first")
    _refuse_model(out, another)
    if out.exists() and any(os.path.exists(file) and out.samefile(file) for file in read):
        raise UsageError("is the input itself", where=str(out), hint=another)
    if not (out.exists() or out.is_symlink()):
        return
    if out.exists() and not out.is_file():  # a device or a pipe would be replaced by a file
        raise UsageError("is not a file", where=str(out), hint=another)
    if is_own is not None and not is_own(out):
        raise UsageError("exists and is not a report", where=str(out), hint=another)
    if not force:
        raise UsageError("exists", where=str(out), hint=f"use --force to replace it, or {another}")


def check_folder(out: Path, own: Collection[str], *, force: bool, option: str = "--out") -> None:
    """Refuse to write files named `own` to a folder that has any; with `force`, to one that holds others.

    Raises `UsageError`.
    """
    another = f"choose another {option}"
    _refuse_model(out, another)
    if not (out.exists() or out.is_symlink()):
        return
    if not out.is_dir():
        raise UsageError("is not a folder", where=str(out), hint=another)
    found = {file.name for file in out.iterdir()}
    if foreign := sorted(found.difference(own)):
        raise UsageError(f"holds {foreign[0]}, which would be lost", where=str(out), hint=another)
    if found and not force:
        raise UsageError("exists", where=str(out), hint=f"use --force to replace its files, or {another}")


def check_bundle(
    out: Path | None, *, force: bool, option: str = "--out", besides: Collection[str] = frozenset()
) -> None:
    """Refuse to write a bundle where something stands; with `force`, where it is not a bundle or holds other files.

    Files and folders named `besides` are its own, too. Raises `BundleError`.
    """
    if out is None or not (out.exists() or out.is_symlink()):
        return
    another = f"choose another {option}"
    if out.resolve() == RUNS.resolve():
        raise BundleError("is the folder that holds the runs", where=str(out), hint=f"use {option} {RUNS}/NAME")
    try:
        text = read_plain(out / MANIFEST, MOST_BYTES[MANIFEST]).decode("utf-8", "replace")
        manifest = Manifest.from_json(text, where=str(out / MANIFEST))
    except BundleError:
        raise BundleError("exists and is not a trained model", where=str(out), hint=another) from None
    if not force:
        raise BundleError("exists", where=str(out), hint=f"use --force to replace it, or {another}")
    if foreign := sorted({file.name for file in out.iterdir()}.difference(manifest.files, besides, [MANIFEST])):
        what = f"holds {foreign[0]}, which is no part of the model"
        raise BundleError(what, where=str(out), hint=f"move it, or {another}")


def check_report(out: Path, *, force: bool) -> None:
    """Refuse to write a report where `check_file` does, or where something else stands. Raises `UsageError`."""
    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError("is not the name of an HTML file", where=str(out), hint=f"use {out.stem or 'report'}.html")
    check_file(out, force=force, option="--report", is_own=_is_report)


def check_plots(out: Path, *, force: bool) -> None:
    """Refuse to write charts where `check_folder` does. Raises `UsageError`."""
    check_folder(out, [f"{name}.{kind}" for name in CHARTS for kind in PICTURE_FORMATS], force=force, option="--plots")


def check_picture(out: Path, *, force: bool) -> None:
    """Refuse to write a picture where `check_file` does, or under a name of no picture. Raises `UsageError`."""
    if out.suffix.lower().removeprefix(".") not in PICTURE_FORMATS:
        named = quoted(Path(f"{out.stem or 'chart'}.png"))
        raise UsageError("is not the name of a PNG or SVG file", where=str(out), hint=f"use --out {named}")
    check_file(out, force=force)


def _refuse_model(out: Path, hint: str) -> None:
    for folder in (out, out.parent):
        if (folder / MANIFEST).exists():
            what = "is a trained model's folder, in which nothing may change"
            raise UsageError(what, where=str(folder), hint=hint)


def _is_report(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return REPORT_MARK.encode() in stream.read(NEAR)
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
    _refuse_model(to.resolve().parent, "choose another --to")
    check_bundle(to, force=force, option="--to", besides={CACHE, RUNTIME})
    for file in (to / RUNTIME).rglob("*"):
        if file.suffix not in (".py", ".pyc") and not file.is_dir():
            raise BundleError(
                f"holds {file.relative_to(to)}, which is no part of the model",
                where=str(to),
                hint="move it, or choose another --to",
            )
