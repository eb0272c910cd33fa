"""Libraries report to nobody and write nothing to the user's folders. Knows them by the names of their settings only.

What the user has set in the environment himself stands.
"""

import logging
import os
from pathlib import Path

NO_TELEMETRY = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime looks names up, and keeps a database in the user's cache
    "RAY_USAGE_STATS_ENABLED": "0",
    "HF_HUB_DISABLE_TELEMETRY": "1",  # of huggingface_hub, which the library tokenizers installs
}

NO_FOLDER = os.path.join(os.devnull, "none")
"""A folder that nobody can make: Keras then writes no config, and matplotlib's fonts go to a temporary folder."""


def report_to_nobody() -> None:
    """Switch telemetry off in this process and those it starts, before the libraries load."""
    for name, value in NO_TELEMETRY.items():
        os.environ.setdefault(name, value)


def leave_home_alone() -> None:
    """Keep Keras and matplotlib, which have yet to load, from making files in a home where they have none.

    A user who has such files has chosen: he goes on with his settings, and need not wait for the list of his fonts.
    """
    home = Path(os.path.expanduser("~"))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    if not (home / ".keras" / "keras.json").exists():
        os.environ.setdefault("KERAS_HOME", NO_FOLDER)
    if not (cache / "matplotlib").exists() and not (home / ".matplotlib").exists():
        os.environ.setdefault("MPLCONFIGDIR", NO_FOLDER)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where it keeps its fonts is nothing to tell in a run


def keep_ray_here() -> None:
    """Have a Ray that has yet to load start clusters that no other machine can reach, as it does except on Linux."""
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
