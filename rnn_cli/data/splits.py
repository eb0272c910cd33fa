"""Splits a config's rows into training, validation and test rows, and warns of repeated texts.

Knows nothing of tokens or networks.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.label_lists import find_label_lists
from rnn_cli.data.reading.table import quoted_names
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import load_rows
from rnn_cli.errors import DataError, Setting


def group_equal(texts: Sequence[str]) -> dict[str, list[int]]:
    """The indices of each text, in order of first appearance."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for index, text in enumerate(texts):
        groups[text].append(index)
    return dict(groups)


def stratify(texts: Sequence[str], labels: Sequence[str], shares: Sequence[float], seed: int) -> list[list[int]]:
    """The indices of each share's rows, then those of the remaining rows; each list ascends.

    Sorts each label's groups of equal texts by hash; a side takes, in this order, the groups that fit into its share
    (rounded) of the label's rows. So a side never exceeds its share, and lacks at most part of a group. A label's last
    group always remains, as training must know the label.
    """
    groups = group_equal(texts)
    by_label: defaultdict[str, list[str]] = defaultdict(list)
    for text, indices in groups.items():
        by_label[_majority([labels[index] for index in indices])].append(text)
    sides: list[list[int]] = [[] for _ in (*shares, "left")]
    for members in by_label.values():
        left = sorted(members, key=lambda text: _hash(text, seed))
        rows = sum(len(groups[text]) for text in left)
        for side, share in zip(sides, shares, strict=False):
            taken, left = _take([(text, len(groups[text])) for text in left], round(share * rows))
            side.extend(index for text in taken for index in groups[text])
        sides[-1].extend(index for text in left for index in groups[text])
    return [sorted(side) for side in sides]


def _take(ordered: list[tuple[str, int]], room: int) -> tuple[list[str], list[str]]:
    """The texts whose rows fit into `room`, and the others; never takes the last text."""
    taken, left = [], []
    for text, rows in ordered[:-1]:
        if rows <= room:
            taken.append(text)
            room -= rows
        else:
            left.append(text)
    return taken, [*left, *(text for text, _ in ordered[-1:])]


def _majority(labels: Sequence[str]) -> str:
    """The most frequent label; of several the first in sorted order, whatever the order of rows."""
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label))


def _hash(text: str, seed: int) -> bytes:
    return hashlib.blake2b(text.encode("utf-8"), key=seed.to_bytes(8, "little"), digest_size=16).digest()


@dataclass(frozen=True)
class Splits:
    """Three sides without common texts; where a file brings one, a warning says so."""

    train: Dataset
    validation: Dataset
    test: Dataset
    """Empty if the config wants none."""
    warnings: tuple[str, ...]
    fingerprint: str
    """Identifies the whole source and the validation and test files, if any."""

    @property
    def notes(self) -> tuple[str, ...]:
        """How the files are written, in words, where that is not the usual way."""
        return tuple(dict.fromkeys((*self.train.notes, *self.validation.notes, *self.test.notes)))

    @property
    def held_out(self) -> dict[str, Dataset]:
        """The rows training does not learn from, by name: `validation` and, if there are such rows, `test`."""
        return {"validation": self.validation} | ({"test": self.test} if len(self.test) else {})


def load_splits(config: DataConfig, source: Dataset | None = None) -> Splits:
    """Load and split the rows a config names; `source` holds the source's rows if they have been read.

    Raises DataError if no model can be trained on them.
    """
    source = source or load_rows(config.source, config)
    _need_two_labels(source)
    shares = {"test": config.test, "validation": config.validation}
    files = {side: load_rows(value, config) for side, value in shares.items() if isinstance(value, str)}
    shared = {side: value for side, value in shares.items() if not isinstance(value, str)}
    indices = stratify(source.texts, source.labels, list(shared.values()), config.split_seed)
    sides = {side: source.select(chosen) for side, chosen in zip(shared, indices, strict=False)} | files
    train = source.select(indices[-1])
    for side, dataset in sides.items():
        _need_rows(side, dataset, shared.get(side), source)
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
            hint="training needs at least two labels",
        )


def _need_rows(side: str, dataset: Dataset, share: float | None, source: Dataset) -> None:
    if share and not len(dataset):
        raise DataError(
            f"{len(source):,} rows are too few for a {side} share of {share:g}",
            where=source.name,
            hint=Setting(f"data.{side}", "SHARE", "add rows, or use a larger {}"),
        )


def _need_known_labels(side: str, dataset: Dataset, train: Dataset) -> None:
    unknown = sorted(set(dataset.labels) - set(train.labels))
    if unknown:
        raise DataError(
            f"no training row has the labels {quoted_names(unknown)}",
            where=f"{dataset.name}:{dataset.lines[dataset.labels.index(unknown[0])]}",
            hint=f"add training rows with them, or remove these {side} rows",
        )


def _oddities(source: Dataset) -> Iterator[str]:
    groups = group_equal(source.texts)
    repeated = len(source) - len(groups)
    if repeated:
        yield f"{source.name}: {repeated:,} of {len(source):,} rows repeat an earlier text (kept on one side)"
    contradicting = [group for group in groups.values() if len({source.labels[index] for index in group}) > 1]
    if contradicting:
        first = source.lines[contradicting[0][0]]
        yield f"{source.name}: texts with more than one label: {len(contradicting):,}, first at line {first}"
    if lists := find_label_lists(set(source.labels)):
        yield f"{source.name}: {lists}; each is learned as a label of its own"


def _overlaps(sides: dict[str, Dataset], files: Collection[str]) -> Iterator[str]:
    """Texts on two sides, at least one of them a file; sides split by share have none in common."""
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
