"""Which model is meant: one that is named, the newest run, or the general one of the package."""

import os
from collections.abc import Callable
from pathlib import Path

from rnn_cli.bundle.model_folder import LATEST, RUNS
from rnn_cli.errors import BundleError, Setting

GENERAL = "general"
"""The name of the model that comes with the package: short English opinions."""

GENERAL_FOLDER = Path(__file__).resolve().parents[1] / "models" / GENERAL
"""Its bundle."""

ANSWERS_INSTEAD = (
    f"no trained model in {RUNS}/, so the general model of short English opinions answers; train your own with "
    "rnn train FILE"
)
"""Said where nobody named a model and the one of the package is used."""


def locate(model: str | None, note: Callable[[str], None] | None = None) -> Path:
    """The bundle to use: the one named, else RNN_MODEL of the environment, else the newest finished run.

    Where there is none of these, it is the general model of the package, which `note` is told; without `note` that
    raises `BundleError`. The name "general" is that model's; a folder of this name is ./general.
    """
    if model is not None:
        return named_folder(model)
    if named := os.environ.get("RNN_MODEL"):
        if not named_folder(named).is_dir():
            raise BundleError("no such folder", where=f"RNN_MODEL={named}", hint="correct or unset the variable")
        return named_folder(named)
    if LATEST.is_symlink() and not LATEST.exists():
        raise BundleError(
            f"points to {os.readlink(LATEST)}, which is gone",
            where=str(LATEST),
            hint=Setting("model", "DIR", "name one with {}"),
        )
    if LATEST.exists():
        return LATEST
    if note is None:
        hint = Setting("model", "DIR", f"train one with rnn train, or name it with {{}} (or {GENERAL}, of the package)")
        raise BundleError(f"no trained model in {RUNS}/", hint=hint)
    note(ANSWERS_INSTEAD)
    return GENERAL_FOLDER


def named_folder(model: str) -> Path:
    """The folder of a model by its name."""
    return GENERAL_FOLDER if model == GENERAL else Path(model)


def shown_model(folder: Path, *, from_here: bool = False) -> str:
    """A model's folder as a user knows it: the general model by its name.

    With `from_here` it is the folder that a link such as runs/latest points to, relative if it stands below this one.
    """
    real, here = folder.resolve(), Path.cwd()
    if real == GENERAL_FOLDER:
        return GENERAL
    if not from_here:
        return str(folder)
    return str(real.relative_to(here) if real.is_relative_to(here) else real)
