"""A data config becomes three sets of rows: to train on, to choose by and to judge by; oddities are told.

How rows are dealt is `stratify`'s work. Knows nothing of tokens or networks.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import combinations

from rnn_cli.config import DataConfig
from rnn_cli.data.reading.columns import show
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import load
from rnn_cli.data.stratify import group_equal, stratify
from rnn_cli.errors import DataError


@dataclass(frozen=True)
class Splits:
    """Three sides that share no text, unless a file brought one, and then a warning says so."""

    train: Dataset
    validation: Dataset
    test: Dataset
    """Empty when the config asks for none."""
    warnings: tuple[str, ...]
    fingerprint: str
    """Of the whole source, and of the validation and test files where there are some."""


def load_splits(config: DataConfig, source: Dataset | None = None) -> Splits:
    """Load and deal the rows a config names; `source` are its own where they have been read.

    Raises DataError when they cannot be trained on.
    """
    source = source or load(config.source, config)
    _need_two_labels(source)
    shares = {"test": config.test, "validation": config.validation}
    files = {side: load(value, config) for side, value in shares.items() if isinstance(value, str)}
    dealt = {side: value for side, value in shares.items() if not isinstance(value, str)}
    indices = stratify(source.texts, source.labels, list(dealt.values()), config.split_seed)
    sides = {side: source.select(chosen) for side, chosen in zip(dealt, indices, strict=False)} | files
    train = source.select(indices[-1])
    for side, dataset in sides.items():
        _need_rows(side, dataset, dealt.get(side), source)
        _need_known_labels(side, dataset, train)
    return Splits(
        train=train,
        validation=sides["validation"],
        test=sides["test"],
        warnings=(
            *_oddities(source),
            *_overlaps({"training": train, "validation": sides["validation"], "test": sides["test"]}, files),
        ),
        fingerprint=_fingerprint(source, files),
    )


def _need_two_labels(source: Dataset) -> None:
    if len(set(source.labels)) < 2:
        raise DataError(
            f"every row has the label {source.labels[0]!r}",
            where=source.name,
            mend="training needs at least two labels",
        )


def _need_rows(side: str, dataset: Dataset, share: float | None, source: Dataset) -> None:
    if share and not len(dataset):
        raise DataError(
            f"{len(source):,} rows are too few for a {side} share of {share:g}",
            where=source.name,
            mend=f"add rows, or use a larger --set data.{side}=SHARE",
        )


def _need_known_labels(side: str, dataset: Dataset, train: Dataset) -> None:
    unknown = sorted(set(dataset.labels) - set(train.labels))
    if unknown:
        raise DataError(
            f"labels that no training row has: {show(unknown)}",
            where=f"{dataset.name}:{dataset.lines[dataset.labels.index(unknown[0])]}",
            mend=f"train on a file that has it, or remove those {side} rows",
        )


def _oddities(source: Dataset) -> Iterator[str]:
    groups = group_equal(source.texts)
    repeated = len(source) - len(groups)
    if repeated:
        yield f"{source.name}: {repeated:,} of {len(source):,} rows repeat an earlier text (kept on one side)"
    torn = [group for group in groups.values() if len({source.labels[index] for index in group}) > 1]
    if torn:
        first = source.lines[torn[0][0]]
        yield f"{source.name}: texts with more than one label: {len(torn):,}, first at line {first}"


def _overlaps(sides: dict[str, Dataset], files: Collection[str]) -> Iterator[str]:
    """Texts that a file brought to two sides at once; rows that were dealt share none."""
    for one, other in combinations(sides, 2):
        if one in files or other in files:
            texts = set(sides[one].texts)
            if count := sum(text in texts for text in sides[other].texts):
                where, rows = sides[other].name, len(sides[other])
                yield f"{where}: {count:,} of {rows:,} {other} rows repeat a {one} text"


def _fingerprint(source: Dataset, files: dict[str, Dataset]) -> str:
    if not files:
        return source.fingerprint()
    parts = [f"source {source.fingerprint()}"]
    parts += [f"{side} {dataset.fingerprint()}" for side, dataset in sorted(files.items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
