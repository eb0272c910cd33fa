"""Where an export may be written: where nothing stands, or, if asked, in the place of an earlier one.

Loads nothing, so that a folder in the way is told before any work is done.
"""

from pathlib import Path

from rnn_cli.bundle import MANIFEST, check_target
from rnn_cli.errors import BundleError, UsageError

RUNTIME = "rnn_runtime"
"""In an export, the package of what `predict.py` needs of rnn."""

CACHE = "__pycache__"
"""What Python leaves beside a script that was imported."""


def check_place(model: Path, to: Path, *, force: bool) -> None:
    """Refuse, before any work is done, to write where something stands, or into a trained model's folder.

    With `force` an earlier export, or another trained model, may be replaced if it holds nothing but its own files.
    Raises `BundleError` or `UsageError`.
    """
    if to.resolve() == model.resolve():
        raise UsageError("is the model itself", where=str(to), mend="choose another --to")
    if (to.resolve().parent / MANIFEST).exists():
        raise UsageError(
            "is a trained model's folder, in which nothing may change",
            where=str(to.parent),
            mend="choose another --to",
        )
    check_target(to, force=force, option="--to", besides={CACHE, RUNTIME})
    for file in (to / RUNTIME).rglob("*"):
        if file.suffix not in (".py", ".pyc") and not file.is_dir():
            raise BundleError(
                f"holds {file.relative_to(to)}, which is no part of the model",
                where=str(to),
                mend="move it, or use another --to",
            )
