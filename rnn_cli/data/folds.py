"""Deals rows into the folds of a cross-validation, and splits the rows of the others as training splits rows.

Knows nothing of networks.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.iterative import deal
from rnn_cli.data.rows import Dataset, most_frequent
from rnn_cli.data.splits import Splits, groups_of_numbers, stratify, text_hash
from rnn_cli.data.together import units_of
from rnn_cli.errors import DataError, Setting

LARGEST_SHARE = 2.0
"""A fold with so many times its share of the rows shows that near copies are too many to keep together."""


@dataclass(frozen=True)
class Fold:
    """Rows that a model of the other rows predicts: `rows` are their indices in the source, ascending.

    `splits` has them as test rows; the others are split into training and validation rows. `repeat` and `number` count
    from 1.
    """

    repeat: int
    number: int
    rows: list[int]
    splits: Splits


@dataclass(frozen=True)
class Dealt:
    """The folds of all repeats, in order, and the rows that are in none, as their label has no other unit."""

    folds: tuple[Fold, ...]
    teaching: tuple[int, ...]


def deal_folds(config: DataConfig, splits: Splits, folds: int, repeats: int) -> Dealt:
    """Deal the rows of a source, as often as `repeats` says, into so many folds.

    Copies, near copies and the rows of a group share a fold; each label, or each group of neighbouring numbers, has
    about the same share of every fold. Raises `DataError` where the rows are too few.
    """
    source = splits.source
    assert source is not None
    labelled = replace(source, labels=groups_of_numbers(source)) if source.number else source
    column = config.group_column
    groups = source.further[column] if column else None
    # As in the split, but texts made of one pattern are all copies of each other.
    together = units_of(source.texts, groups, near=splits.near)
    if together.near and max(map(len, together.rows)) > LARGEST_SHARE * len(source) / folds:
        together = units_of(source.texts, groups, near=False)
    units = together.rows
    if len(units) < folds:
        what = f"{len(units):,} different {f'groups by the column {column!r}' if column else 'texts'}"
        hint = Setting("training.folds", "NUMBER", "add rows, or use fewer ({})")
        raise DataError(f"{what} are too few for {folds} folds", where=source.name, hint=hint)
    found, teaching = list[Fold](), set[int]()
    for repeat in range(1, repeats + 1):
        seed = config.split_seed + repeat - 1
        sides = _sides(labelled, units, folds, seed)
        alone = set[int]() if source.number else _alone(source, units, sides)
        teaching |= alone
        for number, side in enumerate(sides, start=1):
            rows = sorted(set(side) - alone)
            if not rows:
                what = f"the rows are too few for {folds} folds: fold {number} has none"
                raise DataError(what, where=source.name, hint=Setting("training.folds", "NUMBER", "use fewer ({})"))
            found.append(Fold(repeat, number, rows, _split(config, splits, labelled, source, units, set(rows))))
    return Dealt(tuple(found), tuple(sorted(teaching)))


def _sides(rows: Dataset, units: Sequence[Sequence[int]], folds: int, seed: int) -> list[list[int]]:
    """The rows of each fold."""

    def key(unit: Sequence[int]) -> bytes:
        return text_hash(rows.texts[unit[0]], seed)

    if rows.several:
        return deal(rows.label_sets, [1 / folds] * (folds - 1), units, key)
    by_label: defaultdict[str, list[Sequence[int]]] = defaultdict(list)
    for unit in units:
        by_label[most_frequent([rows.labels[row] for row in unit])].append(unit)
    sides: list[list[int]] = [[] for _ in range(folds)]
    for _, members in sorted(by_label.items(), key=lambda each: (len(each[1]), each[0])):
        of_label = [0] * folds
        # The largest first: the small ones then even out what these leave.
        for unit in sorted(members, key=lambda unit: (-len(unit), key(unit))):
            fold = min(range(folds), key=lambda each: (of_label[each], len(sides[each]), each))
            sides[fold].extend(unit)
            of_label[fold] += len(unit)
    return sides


def _alone(rows: Dataset, units: Sequence[Sequence[int]], sides: Sequence[Sequence[int]]) -> set[int]:
    """The rows of units with a label that no other fold has: without them no model would know it."""
    fold_of = {row: number for number, side in enumerate(sides) for row in side}
    label_sets = rows.label_sets
    where: defaultdict[str, set[int]] = defaultdict(set)
    for row, names in enumerate(label_sets):
        for name in names:
            where[name].add(fold_of[row])
    alone = {name for name, folds in where.items() if len(folds) == 1}
    return {row for unit in units if any(alone & set(label_sets[row]) for row in unit) for row in unit}


def _split(
    config: DataConfig,
    splits: Splits,
    labelled: Dataset,
    source: Dataset,
    units: Sequence[Sequence[int]],
    held: set[int],
) -> Splits:
    """The rows that are not held out, split into training and validation rows as the config says.

    `labelled` are the rows of the source with the labels that are dealt.
    """
    left = [row for row in range(len(source)) if row not in held]
    rest, validation, chosen = source.select(left), splits.validation, list(range(len(left)))
    if not isinstance(config.validation, str):
        place = {row: index for index, row in enumerate(left)}
        within = [[place[row] for row in unit] for unit in units if unit[0] in place]
        if source.several:

            def key(unit: Sequence[int]) -> bytes:
                return text_hash(rest.texts[unit[0]], config.split_seed)

            side, chosen = deal(rest.label_sets, [config.validation], within, key)
        else:
            labels = labelled.select(left).labels
            side, chosen = stratify(rest.texts, labels, [config.validation], config.split_seed, within)
        if not source.number:
            side, chosen = _known(rest, side, chosen)
        validation = rest.select(side)
    if not len(validation):
        what = f"{len(left):,} rows, without a fold, are too few for a validation share of {config.validation}"
        hint = Setting("data.validation", "SHARE", "add rows, or use a larger {}")
        raise DataError(what, where=source.name, hint=hint)
    train = rest.select(chosen)
    if source.number and len(set(train.labels)) < 2:
        what = "the rows of all folds but one have the same number"
        raise DataError(what, where=source.name, hint=Setting("training.folds", "NUMBER", "use fewer ({})"))
    return replace(splits, train=train, validation=validation, test=source.select(sorted(held)), source=None)


def _known(rows: Dataset, side: list[int], left: list[int]) -> tuple[list[int], list[int]]:
    """The validation and the training rows, without validation rows whose label no training row has."""
    label_sets = rows.label_sets
    counts = Counter(name for row in left for name in label_sets[row])
    unknown = {row for row in side if any(not counts[name] for name in label_sets[row])}
    return [row for row in side if row not in unknown], sorted([*left, *unknown])
