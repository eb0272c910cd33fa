"""Where a config's YAML comes from: a recipe of ours by name, or a file. Knows nothing of its meaning."""

import os
import re
from difflib import get_close_matches
from pathlib import Path

from rnn_cli.errors import ConfigError, quoted

MAX_BYTES = 1_000_000
"""A config of more bytes is a mistake, and would take YAML minutes."""

DATA_FILE = re.compile(r"\.(csv|tsv|jsonl|ndjson|parquet|pq)(\.gz|\.zst)?$")
"""A name that a file of rows has, and a config never."""

_PACKAGE = Path(__file__).parents[1]


def recipes() -> dict[str, Path]:
    """The configs that come with rnn: name ("default") to file, by name."""
    for folder in (_PACKAGE / "configs", _PACKAGE.parent / "configs"):  # installed; in a checkout
        if folder.is_dir():
            return {
                file.relative_to(folder).with_suffix("").as_posix(): file for file in sorted(folder.rglob("*.yaml"))
            }
    return {}


def read_source(source: str | None) -> tuple[str, str]:
    """The YAML text of a file or a recipe (None is the recipe "default"), and the file's name to blame.

    A file goes before a recipe of the same name. Raises `ConfigError` with one mistake.
    """
    if source is not None and DATA_FILE.search(source.lower()):
        raise ConfigError([f"{source}: is data, not a config; use --set data.source={quoted(source)}"])
    # os.path, since pathlib raises an error for a name that is too long.
    if source is not None and os.path.exists(source) and not os.path.isdir(source):
        return _read(Path(source), source), source
    name = "default" if source is None else source
    recipe = recipes().get(name)
    if recipe is None:
        raise ConfigError([_missing(name)])
    return _read(recipe, _short(recipe)), _short(recipe)


def _read(file: Path, where: str) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError([f"{where}: cannot be read ({error.strerror})"]) from None
    if len(content) > MAX_BYTES:
        raise ConfigError([f"{where}: larger than {MAX_BYTES:,} bytes; is this a config?"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{where}:{line}: not UTF-8 (byte 0x{content[error.start]:02x})"]) from None


def _missing(name: str) -> str:
    if os.path.isdir(name):
        return f"{name}: is a directory; name a YAML file"
    names = list(recipes())
    near = get_close_matches(name, names, 1)
    guess = f"did you mean {near[0]}? " if near else ""
    return f"""{name or '""'}: no such file or recipe; {guess}recipes: {", ".join(names) or "none"}"""


def _short(file: Path) -> str:
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)
