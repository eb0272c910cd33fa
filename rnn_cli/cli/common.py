"""What commands share: notes beside their work, and the word for an install that lacks a library."""

from importlib.util import find_spec

from rnn_cli.errors import UsageError

FULL = {
    *("ftfy", "keras", "llvmlite", "numba", "onnx", "pandas", "py3langid", "scipy", "sklearn", "tensorflow"),
    "threadpoolctl",
}
"""The libraries, as they are imported, that only the full install brings."""

ALONE = {"pyarrow", "zstandard"}
"""Those that it brings, too, but that need nothing else of it: for Parquet, and for .zst."""


def check_full() -> None:
    """Refuse, before any work is done, what needs the full install. Raises `UsageError`."""
    if find_spec("tensorflow") is None:
        raise _lacking("tensorflow")


def understood(error: Exception) -> Exception:
    """The error as one a user can mend, where it says that a whole library of the full install is not there."""
    if isinstance(error, ModuleNotFoundError) and error.name in FULL:
        return _lacking(error.name)
    if isinstance(error, ModuleNotFoundError) and error.name in ALONE:
        return UsageError(f"this needs the library {error.name}", hint=f"pip install {error.name}")
    return error


def _lacking(library: str) -> UsageError:
    return UsageError(
        f"this needs the full install of rnn ({library} is not installed)", hint="pip install . in rnn's own folder"
    )
