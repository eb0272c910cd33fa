"""Which model is meant: one that is named, the one trained last, or the general one of the package."""

import os
from collections.abc import Callable
from pathlib import Path

from rnn_cli.bundle.model_folder import LATEST, RUNS
from rnn_cli.errors import BundleError, Setting

GENERAL = "general"
"""The name of the model that comes with the package: short English opinions."""

GENERAL_FOLDER = Path(__file__).resolve().parents[1] / "models" / GENERAL
"""Its bundle."""

GENERAL_IS_USED = (
    f"no trained model in {RUNS}/: using the general model of short English opinions; train your own with "
    "rnn train FILE"
)
"""Said where nobody named a model and the one of the package is used."""


def locate(model: str | None, note: Callable[[str], None], *, or_general: bool = True) -> Path:
    """The bundle to use: the one named, else RNN_MODEL of the environment, else the one trained last.

    That is the folder `runs/latest` points to, which may be outside runs/. Where it is gone, the newest finished run in
    runs/ is used; where there are no runs at all, the general model of the package. `note` receives either. Without
    `or_general`, having no run raises `BundleError`. The name "general" means that model; a folder of this name is
    ./general.
    """
    if model is not None:
        return named_folder(model)
    if named := os.environ.get("RNN_MODEL"):
        if not named_folder(named).is_dir():
            raise BundleError("no such folder", where=f"RNN_MODEL={named}", hint="correct or unset the variable")
        return named_folder(named)
    if LATEST.exists():
        return _real(LATEST)
    gone = f"points to {os.readlink(LATEST)}, which is gone" if LATEST.is_symlink() else None
    if RUNS.is_dir():
        from rnn_cli.bundle.runs import newest_run  # here: it reads configs, which the usual way need not

        if (newest := newest_run(RUNS)) is not None:
            note(f"{LATEST} {gone or 'is gone'}, so the newest run in {RUNS}/ is used: {newest}")
            return newest
    if gone:
        raise BundleError(gone, where=str(LATEST), hint=Setting("model", "DIR", "name one with {}"))
    if not or_general:
        hint = Setting("model", "DIR", f"train one with rnn train, or name it with {{}} (or {GENERAL}, of the package)")
        raise BundleError(f"no trained model in {RUNS}/", hint=hint)
    note(GENERAL_IS_USED)
    return GENERAL_FOLDER


def named_folder(model: str) -> Path:
    """The folder of a model by its name."""
    return GENERAL_FOLDER if model == GENERAL else Path(model)


def shown_model(folder: Path, *, from_here: bool = False) -> str:
    """A model's folder as a user knows it: the general model by its name.

    With `from_here` it is the folder that a link such as runs/latest points to, relative if it is below this one.
    """
    if folder.resolve() == GENERAL_FOLDER:
        return GENERAL
    return str(_real(folder) if from_here else folder)


def _real(folder: Path) -> Path:
    real, here = folder.resolve(), Path.cwd()
    return real.relative_to(here) if real.is_relative_to(here) else real
