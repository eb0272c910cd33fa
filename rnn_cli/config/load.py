"""Makes a `Config` from defaults, a YAML file or a stored config, and overrides, or raises all mistakes at once."""

import os
import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from rnn_cli.config.describe import KeyMistake, KeyPath, dotted, explain_mistakes, sections, takes_text
from rnn_cli.config.schema import Config
from rnn_cli.config.strict_yaml import parse_yaml, resolve_as_core, shown_value
from rnn_cli.errors import BundleError, ConfigError, ConfigMistake, quoted
from rnn_cli.formats import DATA_FILE, is_pattern

MAX_BYTES = 1_000_000
"""The maximum size of a config; YAML would take minutes for a larger one."""

_PACKAGE = Path(__file__).parents[1]


def recipes() -> dict[str, Path]:
    """The configs that come with rnn, sorted: name ("default") to file."""
    for folder in (_PACKAGE / "configs", _PACKAGE.parent / "configs"):  # installed; in a checkout
        if folder.is_dir():
            return {
                file.relative_to(folder).with_suffix("").as_posix(): file for file in sorted(folder.rglob("*.yaml"))
            }
    return {}


def names_data(source: str) -> bool:
    """Whether this names rows, and so not a config: a file, a folder, a pattern, the standard input or a URL.

    A recipe goes before a folder of its name.
    """
    if source == "-" or "://" in source or DATA_FILE.search(source.lower()) is not None:
        return True
    return is_pattern(source) or (os.path.isdir(source) and source not in recipes())


def read_source(source: str | None) -> tuple[str, str]:
    """The YAML text of a file or a recipe (None is the recipe "default"), and the file's name for messages.

    A file takes precedence over a recipe of the same name. Raises `ConfigError` with one mistake.
    """
    if source is not None and names_data(source) and not os.path.isdir(source):
        raise _mistake(f"is data, not a config; use rnn train {quoted(source)}, or name a config before it", source)
    # os.path, as pathlib raises an error for a name that is too long.
    if source is not None and os.path.exists(source) and not os.path.isdir(source):
        return read_yaml_file(Path(source), source), source
    name = "default" if source is None else source
    recipe = recipes().get(name)
    if recipe is None:
        raise _mistake(_missing(name), name or '""')
    return read_yaml_file(recipe, _short(recipe)), _short(recipe)


def read_yaml_file(file: Path, where: str) -> str:
    """The text of a YAML file, named `where` in messages. Raises `ConfigError` with one mistake."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _mistake(f"cannot be read ({error.strerror})", where) from None
    if len(content) > MAX_BYTES:
        raise _mistake(f"larger than {MAX_BYTES:,} bytes; is this the right file?", where)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _mistake(f"not UTF-8 (byte 0x{content[error.start]:02x})", f"{where}:{line}") from None


def _mistake(what: str, where: str) -> ConfigError:
    return ConfigError([ConfigMistake(what, where=where)])


def _missing(name: str) -> str:
    if os.path.isdir(name):
        return "is a directory; name a YAML file"
    names = list(recipes())
    near = get_close_matches(name, names, 1)
    guess = f"did you mean {near[0]}? " if near else ""
    return f"no such file or recipe; {guess}recipes: {', '.join(names) or 'none'}"


def _short(file: Path) -> str:
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)


MOST_BRACKETS = 1_000
"""The maximum of brackets in a stored config, which has a few lists; labels and paths may hold brackets, too."""


@dataclass(frozen=True)
class Override:
    """A new value for a key of a config; it replaces the whole value. `key` is dotted: "training.epochs".

    `where` names the override in messages: "--set training.epochs=2". For an `option` of the command line, which names
    the key itself, messages leave the key out. `fault` is a mistake in the override itself; it is raised together with
    the other mistakes of the config.
    """

    key: str
    value: Any
    where: str = ""
    option: str = ""
    fault: str = ""

    @property
    def path(self) -> tuple[str, ...]:
        """The key's parts."""
        return tuple(self.key.split("."))

    @property
    def place(self) -> str:
        """The start of a message about it."""
        value = ",".join(map(str, self.value)) if isinstance(self.value, list) else self.value
        return f"{self.option} {value}" if self.option else self.where


_NO_TEXT = re.compile(r"""["']|(~|null|Null|NULL)?$""")
"""What is YAML in place of a text, too: one in quotes, and null."""


def parse_override(text: str) -> Override:
    """Parse an override such as "training.epochs=2": a dotted key and a YAML value; a text may stand as it is."""
    where = f"--set {text}"
    key, equals, value = text.partition("=")
    path = [part.strip() for part in key.split(".")]
    if not equals or not all(path):
        return Override("", None, where, fault="expected KEY=VALUE, such as training.epochs=2")
    # A delimiter; most single signs have a meaning in YAML.
    is_sign = len(value) == 1 and not value.isalnum() and value != "~"
    if is_sign or (not key.endswith(" ") and takes_text(path) and not _NO_TEXT.match(value)):
        return Override(".".join(path), value, where)
    try:
        return Override(".".join(path), parse_yaml(value, where, is_file=False), where)
    except ConfigError as error:
        return Override(".".join(path), None, where, fault=error.mistakes[0].what)


def refuse_others(overrides: Sequence[Override], allowed: Sequence[str], hint: str) -> None:
    """Raise `ConfigError` for each override whose key or section is not in `allowed`."""
    others = [each for each in overrides if each.key not in allowed and each.path[0] not in allowed]
    if others:
        what = f"has no effect here; {hint}"
        raise ConfigError([ConfigMistake(each.fault or what, where=each.place) for each in others])


def load_config(source: str | None, overrides: Sequence[Override] = ()) -> Config:
    """The config of a YAML file or a recipe (None is "default"), changed by overrides, later ones last.

    Raises `ConfigError` with every mistake, each with its file or override.
    """
    text, where = read_source(source)
    return parse_config(text, where, overrides)


TUNE = "tune"
"""The section of a YAML file that says what `rnn tune` tries; a training does not read it."""


def tune_section(source: str | None) -> tuple[object, str]:
    """The section `tune` of a YAML file or a recipe, None where it has none, and the file's name for messages."""
    text, where = read_source(source)
    return _sections(text, where).get(TUNE), where


def parse_config(text: str, where: str, overrides: Sequence[Override] = ()) -> Config:
    """The config of a YAML text from `where`. Raises `ConfigError` as `load_config` does."""
    mistakes: list[ConfigMistake] = []
    given: dict[Any, Any] = {}
    try:
        given = _sections(text, where)
        given.pop(TUNE, None)
    except ConfigError as error:
        mistakes += error.mistakes
    return _validated(given, where, overrides, mistakes)


def with_overrides(config: Config, overrides: Sequence[Override], where: str = "") -> Config:
    """The config with overrides; `where` names the config in messages. Raises `ConfigError`."""
    return _validated(config.to_dict(), where, overrides, []) if overrides else config


def _validated(
    given: dict[Any, Any], where: str, overrides: Sequence[Override], mistakes: list[ConfigMistake]
) -> Config:
    changes: list[Override] = []
    _make_room(given, {change.key for change in overrides})
    for change in overrides:
        try:
            _put(given, change)
        except ConfigError as error:
            mistakes += error.mistakes
        else:
            changes.append(change)
    for name in sections():
        if given.get(name, ...) is None:  # a section in which all keys are commented out
            given[name] = {}
    try:
        config = Config.model_validate(given)
    except ValidationError as error:
        raise ConfigError(
            mistakes + [_placed(each, where, changes) for each in explain_mistakes(error, given)]
        ) from None
    if mistakes:
        raise ConfigError(mistakes)
    return config


def stored_config(content: bytes, where: str) -> Config:
    """The config in a file of a model's folder. Raises `BundleError` for any mistake in it."""
    try:
        text = content.decode("utf-8")
        if text.count("[") + text.count("{") > MOST_BRACKETS:  # PyYAML takes quadratic time in the depth
            raise _mistake("more lists than any config has", "")
        given = _sections(text, "line")
        if isinstance(given.get("tokenizer"), dict):  # releases before this key split so
            given["tokenizer"].setdefault("splitting", "ascii")
        return Config.model_validate(given)
    except (UnicodeDecodeError, ConfigError, ValidationError) as error:
        what = _first(error) if isinstance(error, ValidationError) else str(error).partition("\n")[0]
        raise BundleError(f"not a config this rnn understands ({what})", where=where) from None


def to_yaml(config: Config, width: float = 110) -> str:
    """The whole config as YAML for `parse_config`, keys in declared order; folds lines longer than `width`."""
    content = config.to_dict()
    if config.data.sources is not None:
        del content["data"]["source"]  # which does not count then
    if config.data.extra_columns is None:  # as earlier releases wrote it, so that a model's bytes stay
        del content["data"]["extra_columns"]
    text = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width)
    return "".join(each if each.isprintable() or each == "\n" else f"\\U{ord(each):08x}" for each in text)


def _first(error: ValidationError) -> str:
    mistake = error.errors()[0]
    return f"{dotted(mistake['loc'])[:200]}: {mistake['msg']}"


def _sections(text: str, where: str) -> dict[Any, Any]:
    value = parse_yaml(text, where)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _mistake(f"expected sections ({', '.join(sections())}), got {shown_value(value)}", where)
    return value


def _put(given: dict[Any, Any], change: Override) -> None:
    if change.fault:
        raise _mistake(change.fault, change.place)
    *parents, last = change.path
    for depth, name in enumerate(parents, 1):
        if given.get(name) is None:
            given[name] = {}
        given = given[name]
        if not isinstance(given, dict):
            parent = dotted(change.path[:depth])
            raise _mistake(f"{parent} is {shown_value(given)}, which has no keys; set it as a whole", change.place)
    given[last] = change.value


_WAYS = {
    "label_columns": ("label_column", "label_separator"),
    "label_separator": ("label_columns",),
    "label_column": ("label_columns",),
}
"""Keys of several labels that exclude others, by the one that replaces them."""


def _make_room(given: dict[Any, Any], keys: Set[str]) -> None:
    """Take out the source that an override replaces by several, or the other way round; so with several labels."""
    data = given.get("data")
    for key, other in (("data.source", "sources"), ("data.sources", "source")):
        if key in keys and f"data.{other}" not in keys and isinstance(data, dict):
            given["data"] = data = {name: value for name, value in data.items() if name != other}
    for key, others in _WAYS.items():
        if f"data.{key}" in keys and isinstance(data, dict):
            left = {other for other in others if f"data.{other}" not in keys}
            given["data"] = data = {name: value for name, value in data.items() if name not in left}


def _placed(mistake: KeyMistake, where: str, changes: Sequence[Override]) -> ConfigMistake:
    own = [change for change in changes if _leads(change.path, mistake.path)]
    below = [change for change in changes if _leads(mistake.path, change.path)]
    key = dotted(mistake.path)
    if own:  # the last override of a key counts
        where, key = own[-1].place, "" if own[-1].option else key
    elif below and len(mistake.path) > 1:  # an override of a key below made this value
        where = below[-1].place
    elif below:  # a contradiction in a section: the file and its overrides together
        where = " with ".join(filter(None, [where, *(change.place for change in below)]))
    return ConfigMistake(mistake.what, key, where)


def _leads(start: KeyPath, path: KeyPath) -> bool:
    return tuple(map(str, path[: len(start)])) == tuple(map(str, start))


class _Dumper(yaml.SafeDumper):
    """Writes lists on one line, no aliases, and quotes for texts that YAML 1.1 or 1.2 would read as another type."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        # Sections in a list have a line a key.
        return super().represent_sequence(
            tag, sequence, flow_style=not any(isinstance(each, dict) for each in sequence)
        )


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # YAML folds some characters that are not line ends elsewhere (U+0085), and some characters change the direction of
    # writing, unless they are written as escapes. Only quotes allow escapes.
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _represent_text)
resolve_as_core(_Dumper)  # in addition to YAML 1.1; PyYAML lacks the next one
_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("[yYnN]$"), list("yYnN"))
