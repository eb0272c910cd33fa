"""Where a bundle, a report, charts and an export may be written. Loads nothing, as it is checked before any work."""

import os
from collections.abc import Collection
from pathlib import Path

from rnn_cli.bundle.model_folder import MANIFEST, MOST_BYTES, RUNS, Manifest
from rnn_cli.errors import BundleError, Setting, UsageError, quoted
from rnn_cli.outputs import another, check_file, check_folder, check_replaced, refuse_loss
from rnn_cli.system import read_plain

REPORT_MARK = '<meta name="generator" content="rnn report">'
"""What every report holds near its beginning."""

NEAR = 2_000
"""How many bytes that is."""

CHARTS = ("confusion", "roc", "precision-recall", "scores", "calibration", "loss", "accuracy")
CHARTS_OF_NUMBERS = ("predicted", "errors", "off-by")
PICTURE_FORMATS = ("png", "svg")
"""Each chart's file is named NAME.FORMAT."""


def check_bundle(out: Path | None, *, force: bool, name: str = "out", besides: Collection[str] = frozenset()) -> None:
    """Refuse a folder for a bundle. Raises `BundleError` or `UsageError`.

    Only a bundle may be replaced that holds nothing but its own files and those named in `besides`. `name` is the
    parameter, or the option, that names the folder.
    """
    if out is None:
        return
    own: set[str] = set()
    if os.path.isdir(out):
        if out.resolve() == RUNS.resolve():
            raise BundleError("is the folder that holds the runs", where=str(out), hint=Setting(name, f"{RUNS}/NAME"))
        try:
            text = read_plain(out / MANIFEST, MOST_BYTES[MANIFEST]).decode("utf-8", "replace")
            own = {MANIFEST, *Manifest.from_json(text, where=str(out / MANIFEST)).files, *besides}
        except BundleError:
            raise BundleError("exists and is not a trained model", where=str(out), hint=another(name)) from None
    check_folder(out, force=force, name=name, own=own)


def check_report(out: Path, *, force: bool) -> None:
    """Refuse a place for a report; only an earlier report may be replaced. Raises `UsageError`."""
    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError("is not the name of an HTML file", where=str(out), hint=f"use {out.stem or 'report'}.html")
    _refuse_model(out, "report")
    check_file(out, force=force, name="report", kind="a report", is_kind=_is_report)


def check_plots(out: Path, *, force: bool) -> None:
    """Refuse a folder for charts; only earlier charts may be replaced. Raises `UsageError`."""
    _refuse_model(out, "plots")
    own = [f"{name}.{kind}" for name in (*CHARTS, *CHARTS_OF_NUMBERS) for kind in PICTURE_FORMATS]
    check_folder(out, force=force, name="plots", own=own)


def check_picture(out: Path, *, force: bool) -> None:
    """Refuse a place for one chart. Raises `UsageError`."""
    if out.suffix.lower().removeprefix(".") not in PICTURE_FORMATS:
        named = quoted(Path(f"{out.stem or 'chart'}.png"))
        raise UsageError("is not the name of a PNG or SVG file", where=str(out), hint=Setting("out", named))
    _refuse_model(out, "out")
    check_file(out, force=force)


def _refuse_model(out: Path, name: str) -> None:
    """Raise `UsageError` for a trained model's folder, and for a place in it."""
    for folder in (out, out.parent):
        if os.path.lexists(folder / MANIFEST):
            what = "is a trained model's folder, in which nothing must change"
            raise UsageError(what, where=str(folder), hint=another(name))


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
    """Refuse a folder for an export; only an earlier export, or another trained model, may be replaced.

    Raises `BundleError` or `UsageError`.
    """
    if to.resolve() == model.resolve():
        raise UsageError("is the model itself", where=str(to), hint=another("to"))
    check_bundle(to, force=True, name="to", besides={CACHE, RUNTIME})
    _refuse_model(to.resolve().parent, "to")
    files = [file for file in (to / RUNTIME).rglob("*") if file.suffix not in (".py", ".pyc") and not file.is_dir()]
    refuse_loss(to, [str(file.relative_to(to)) for file in files], "to")
    check_replaced(to, force=force, name="to")
