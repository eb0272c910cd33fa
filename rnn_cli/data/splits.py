"""Splits a config's rows into training, validation and test rows, and warns of repeated texts.

Knows nothing of tokens or networks.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from rnn_cli.config.schema import DataConfig, SourceConfig
from rnn_cli.data.iterative import deal
from rnn_cli.data.label_lists import find_label_lists
from rnn_cli.data.label_spellings import about_spellings
from rnn_cli.data.mixture import load_mixture
from rnn_cli.data.reading.table import quoted_names
from rnn_cli.data.rows import Dataset, fingerprint_of, most_frequent
from rnn_cli.data.source import further_column, load_rows, refuse_columns_of_builtin
from rnn_cli.data.together import Units, group_equal, times_of, units_of
from rnn_cli.errors import DataError, Setting


def stratify(
    texts: Sequence[str],
    labels: Sequence[str],
    shares: Sequence[float],
    seed: int,
    units: Sequence[Sequence[int]] | None = None,
) -> list[list[int]]:
    """The indices of each share's rows, then those of the remaining rows; each list ascends.

    Rows of a unit stay together, by default those of equal texts. Sorts each label's units by hash; a side takes, in
    this order, the units that fit into its share (rounded) of the label's rows. So a side never exceeds its share, and
    lacks at most part of a unit. A label's last unit always remains, as training must know the label.
    """
    by_label: defaultdict[str, list[Sequence[int]]] = defaultdict(list)
    for unit in list(group_equal(texts).values()) if units is None else units:
        by_label[most_frequent([labels[index] for index in unit])].append(unit)
    sides: list[list[int]] = [[] for _ in (*shares, "left")]
    for members in by_label.values():
        left = sorted(members, key=lambda unit: text_hash(texts[unit[0]], seed))
        rows = sum(map(len, left))
        for side, share in zip(sides, shares, strict=False):
            taken, left = _take(left, round(share * rows))
            side.extend(index for unit in taken for index in unit)
        sides[-1].extend(index for unit in left for index in unit)
    return [sorted(side) for side in sides]


def share_of(rows: Dataset, share: float, seed: int) -> Dataset:
    """A share of the rows by chance, as much of each label, of which none is lost; equal texts stay together."""
    if rows.several:
        units = list(group_equal(rows.texts).values())
        *_, chosen = deal(rows.label_sets, [1 - share], units, lambda unit: text_hash(rows.texts[unit[0]], seed))
    else:
        labels = groups_of_numbers(rows) if rows.number else rows.labels
        *_, chosen = stratify(rows.texts, labels, [1 - share], seed)
    return rows.select(chosen)


def newest_first(
    texts: Sequence[str], times: Sequence[float], shares: Sequence[float], seed: int, units: Sequence[Sequence[int]]
) -> list[list[int]]:
    """The indices of each share's rows, the newest first, then those of the remaining rows; each list ascends.

    A unit is as old as its oldest row, so that no side holds a copy of a row that is older than the side.
    """
    left = sorted(units, key=lambda unit: (-min(times[row] for row in unit), text_hash(texts[unit[0]], seed)))
    sides: list[list[int]] = []
    for share in shares:
        taken, left = _take(left, round(share * len(texts)))
        sides.append(sorted(index for unit in taken for index in unit))
    return [*sides, sorted(index for unit in left for index in unit)]


def _take(ordered: list[Sequence[int]], room: int) -> tuple[list[Sequence[int]], list[Sequence[int]]]:
    """The units whose rows fit into `room`, and the others; never takes the last unit."""
    taken, left = [], []
    for unit in ordered[:-1]:
        if len(unit) <= room:
            taken.append(unit)
            room -= len(unit)
        else:
            left.append(unit)
    return taken, [*left, *ordered[-1:]]


def text_hash(text: str, seed: int) -> bytes:
    """What orders texts by chance, whatever the order of their file."""
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
    """Identifies the whole source, the validation and test files, if any, and the columns that the split follows."""
    near: bool = True
    """Whether near copies were kept on one side."""
    source: Dataset | None = None
    """The rows of `data.source` in their order, before they were split."""

    @property
    def notes(self) -> tuple[str, ...]:
        """How the files are written, in words, where that is not the usual way."""
        return tuple(dict.fromkeys((*self.train.notes, *self.validation.notes, *self.test.notes)))

    @property
    def held_out(self) -> dict[str, Dataset]:
        """The rows training does not learn from, by name: `validation` and, if there are such rows, `test`."""
        return {"validation": self.validation} | ({"test": self.test} if len(self.test) else {})


def load_splits(config: DataConfig, source: Dataset | None = None, *, near: bool = True) -> Splits:
    """Load and split the rows a config names; `source` holds the source's rows if they have been read.

    Without `near`, near copies may be on different sides, as earlier releases split them. Raises DataError if no model
    can be trained on the rows.
    """
    if source is None:
        source = _whole(config)
    _need_two_labels(source)
    shares = {"test": config.test, "validation": config.validation}
    files = {side: load_rows(value, config) for side, value in shares.items() if isinstance(value, str)}
    shared = {side: value for side, value in shares.items() if not isinstance(value, str)}
    columns = {name: further_column(source, name, config) for name in (config.group_column, config.time_column) if name}
    if config.group_column:  # for who divides a side further
        source = replace(source, further={**source.further, config.group_column: columns[config.group_column]})
    extra = {name: source.further[name] for name in config.extra_columns or ()}
    for side, dataset in files.items():
        extra |= {f"{side} {name}": dataset.further[name] for name in config.extra_columns or ()}
    groups = columns[config.group_column] if config.group_column else None
    units = units_of(source.texts, groups, near=near and any(shared.values()))
    indices = _dealt(config, source, shared, units, columns)
    too_many = bool(units.near) and not all(
        len(rows) for rows, share in zip(indices, shared.values(), strict=False) if share
    )
    if too_many:  # texts made of one pattern are all copies of each other
        indices = _dealt(config, source, shared, units_of(source.texts, groups, near=False), columns)
    where = "too many to keep on one side: metrics may be too good" if too_many else _KEPT
    sides = {side: source.select(chosen) for side, chosen in zip(shared, indices, strict=False)} | files
    train = source.select(indices[-1])
    for side, dataset in sides.items():
        _need_rows(side, dataset, shared.get(side), source, config.group_column)
        _need_known_labels(side, dataset, train)
    return Splits(
        train=train,
        validation=sides["validation"],
        test=sides["test"],
        warnings=(
            *dict.fromkeys(warning for rows in (source, *files.values()) for warning in rows.warnings),
            *_oddities(source, units.near, where),
            *_overlaps({"training": train, "validation": sides["validation"], "test": sides["test"]}, files),
        ),
        fingerprint=_fingerprint(source, files, columns | extra),
        near=near,
        source=source,
    )


def _whole(config: DataConfig) -> Dataset:
    """All rows that the config names."""
    if config.sources is not None:
        return load_mixture(config, config.sources)
    refuse_columns_of_builtin(config)
    return load_rows(config.source, config)


def _dealt(
    config: DataConfig,
    source: Dataset,
    shared: Mapping[str, float],
    units: Units,
    columns: Mapping[str, Sequence[str | None]],
) -> list[list[int]]:
    """The rows of each side that is a share, and of training."""
    if config.group_column:
        _need_groups(units.rows, source, config.group_column, sum(map(bool, shared.values())) + 1)
    shares = list(shared.values())
    if config.sources is not None:
        return _dealt_by_source(config.sources, source, shares, config.split_seed, units.rows)
    if config.time_column is None and source.several:
        seed = config.split_seed
        return deal(source.label_sets, shares, units.rows, lambda unit: text_hash(source.texts[unit[0]], seed))
    if config.time_column is None:
        labels = groups_of_numbers(source) if source.number else source.labels
        return stratify(source.texts, labels, shares, config.split_seed, units.rows)
    times = times_of(columns[config.time_column], source, config.time_column)
    return newest_first(source.texts, times, shares, config.split_seed, units.rows)


def _dealt_by_source(
    sources: Sequence[SourceConfig], rows: Dataset, shares: Sequence[float], seed: int, units: Sequence[Sequence[int]]
) -> list[list[int]]:
    """As `stratify` deals the rows, each source by itself; those of sources without validation are training rows."""
    named = rows.sources or []
    only_teach = {each.called for each in sources if not each.validation}
    free: list[Sequence[int]] = []
    taught: list[int] = []
    for unit in units:
        if any(named[row] in only_teach for row in unit):
            taught += unit
        else:
            free.append(unit)
    kinds = [f"{label}\n{name}" for label, name in zip(rows.labels, named, strict=True)]
    *sides, left = stratify(rows.texts, kinds, shares, seed, free)
    return [*sides, sorted([*left, *taught])]


def _need_groups(units: Sequence[Sequence[int]], source: Dataset, column: str, sides: int) -> None:
    if len(units) < sides:
        raise DataError(
            f"{len(units):,} groups by the column {column!r} are too few for {sides} sides",
            where=source.name,
            hint=Setting("data.group_column", "NAME", "name a column with more values ({}), or leave it out"),
        )


def _need_two_labels(source: Dataset) -> None:
    if source.number:
        if len({float(label) for label in source.labels}) < 2:
            what = f"every row has the number {source.labels[0]}"
            raise DataError(what, where=source.name, hint="training needs numbers that differ")
        return
    if source.several and len(counts := source.label_counts()) < 2:
        what = f"every label is {next(iter(counts))!r}" if counts else "no row has a label"
        raise DataError(what, where=source.name, hint="training needs at least two labels")
    if len(set(source.labels)) < 2:
        raise DataError(
            f"every row has the label {source.labels[0]!r}",
            where=source.name,
            hint="training needs at least two labels",
        )


def _need_rows(side: str, dataset: Dataset, share: float | None, source: Dataset, column: str | None) -> None:
    if share and not len(dataset) and column:
        raise DataError(
            f"no group of the column {column!r} is small enough for a {side} share of {share:g}",
            where=source.name,
            hint=Setting(f"data.{side}", "SHARE", "use a larger {}, or leave data.group_column out"),
        )
    if share and not len(dataset):
        different = len(group_equal(source.texts))
        of = f" of {different:,} different texts" if different < len(source) else ""
        raise DataError(
            f"{len(source):,} rows{of} are too few for a {side} share of {share:g}",
            where=source.name,
            hint=Setting(f"data.{side}", "SHARE", "add rows, or use a larger {}"),
        )


def _need_known_labels(side: str, dataset: Dataset, train: Dataset) -> None:
    if train.number:
        if side == "validation" and len(set(train.labels)) < 2:
            what = f"every training row has the number {train.labels[0]}"
            raise DataError(what, where=train.name, hint="training needs numbers that differ")
        return
    unknown = sorted(set(dataset.label_counts()) - set(train.label_counts()))
    if unknown:
        row = next(row for row, names in enumerate(dataset.label_sets) if unknown[0] in names)
        raise DataError(
            f"no training row has the labels {quoted_names(unknown)}",
            where=dataset.where(row),
            hint=f"add training rows with them, or remove these {side} rows",
        )


_KEPT = "kept on one side"
_EACH = "each is learned as a label of its own"


def _repeat(rows: int) -> str:
    return "repeats" if rows == 1 else "repeat"


def _oddities(source: Dataset, near: Sequence[Sequence[int]], where: str) -> Iterator[str]:
    groups = group_equal(source.texts)
    repeated = len(source) - len(groups)
    if repeated:
        yield f"{source.name}: {repeated:,} of {len(source):,} rows {_repeat(repeated)} an earlier text ({_KEPT})"
    if nearly := sum(len(group) - 1 for group in near):
        yield f"{source.name}: {nearly:,} of {len(source):,} rows nearly {_repeat(nearly)} an earlier text ({where})"
    contradicting = [group for group in groups.values() if len({source.labels[index] for index in group}) > 1]
    if contradicting:
        row = contradicting[0][0]
        first = f"line {source.lines[row]}" if source.files is None else source.where(row)
        what = "texts with different labels" if source.several else "texts with more than one label"
        what = "texts with different numbers" if source.number else what
        yield f"{source.name}: {what}: {len(contradicting):,}, first at {first}"
    if source.number:
        return
    if lists := None if source.several else find_label_lists(set(source.labels)):
        yield f"{source.name}: {lists}; {_EACH}"
    if spellings := about_spellings(source.label_counts()):
        yield f"{source.name}: {spellings}; {_EACH}"


def _overlaps(sides: dict[str, Dataset], files: Collection[str]) -> Iterator[str]:
    """Texts on two sides, at least one of them a file; sides split by share have none in common."""
    for one, other in combinations(sides, 2):
        if one in files or other in files:
            texts = set(sides[one].texts)
            if count := sum(text in texts for text in sides[other].texts):
                where, rows = sides[other].name, len(sides[other])
                yield f"{where}: {count:,} of {rows:,} {other} rows {_repeat(count)} a {one} text"


def _fingerprint(source: Dataset, files: Mapping[str, Dataset], columns: Mapping[str, Sequence[str | None]]) -> str:
    if not files and not columns:
        return source.fingerprint()
    parts = [f"source {source.fingerprint()}"]
    parts += [f"{side} {dataset.fingerprint()}" for side, dataset in sorted(files.items())]
    parts += [f"column {fingerprint_of(value or '' for value in values)}" for _, values in sorted(columns.items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def groups_of_numbers(source: Dataset) -> list[str]:
    """The group of neighbouring numbers that each row's label is in, which a split deals evenly."""
    from rnn_cli.data.numbers import groups_of, numbers_of  # here: it loads numpy

    return groups_of(numbers_of(source))
