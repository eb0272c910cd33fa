"""Labelled rows without those that a model learned from: measured on these it would look better than it is."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rnn_cli.bundle.learned import learned_texts
from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import DataError, Setting


@dataclass(frozen=True)
class SeenRows:
    """How many of the `rows` that were given the models learned from, and whether the figures hold these (`included`).

    `seen` is None where that is not known of any model; where it `is_partly_unknown`, there may be more: a model, or
    one that it was trained from, was written by a release that did not keep it.
    """

    rows: int
    seen: int | None
    is_partly_unknown: bool
    included: bool
    models: int = 1

    def to_dict(self) -> dict[str, Any]:
        """The counts as plain values."""
        return asdict(self)


def without_seen(models: Sequence[Bundle], dataset: Dataset, *, include: bool) -> tuple[Dataset, SeenRows]:
    """The rows that none of the models learned from; all of them to `include` the others, too.

    Rows with equal texts are the same, as `cleaned` compares them. Raises `DataError` where no row is left.
    """
    each = [learned_texts(model) for model in models]
    known = [learned for learned in each if learned is not None]
    is_partly_unknown = len(known) < len(each) or not all(learned.is_whole for learned in known)
    if not known:
        return dataset, SeenRows(len(dataset), None, is_partly_unknown, include, len(models))
    seen = np.any([learned.knows(dataset.texts) for learned in known], axis=0)
    found = SeenRows(len(dataset), int(seen.sum()), is_partly_unknown, include, len(models))
    if include or not found.seen:
        return dataset, found
    if found.seen == len(dataset):
        who = "the model" if len(models) == 1 else "one of the models"
        all_of_them = "the only row" if found.seen == 1 else f"all {found.seen:,} rows"
        raise DataError(
            f"{who} was trained on {all_of_them}, so they cannot say how good it is",
            where=dataset.name,
            hint=Setting("include_seen", "True", "name other rows, or measure on these all the same with {}"),
        )
    return dataset.select(np.flatnonzero(~seen).tolist()), found
