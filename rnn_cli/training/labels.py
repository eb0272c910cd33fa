"""The labels of a run: their order and their weights. Knows nothing of texts or networks."""

import math
from collections import Counter
from collections.abc import Sequence

from rnn_cli.config import TrainingConfig
from rnn_cli.errors import ConfigError, few_of


def order_labels(labels: Sequence[str], positive: str | None) -> tuple[str, ...]:
    """The network's classes: sorted, numbers by value; of two, the positive one last."""
    names = sorted(set(labels), key=_by_value)
    if positive is None:
        return tuple(names)
    if len(names) != 2:
        raise ConfigError([f"data.positive_label: is for two labels, the data has {len(names)}; remove the key"])
    if positive not in names:
        raise ConfigError([f"data.positive_label: {positive!r} is not in the data; use {' or '.join(names)}"])
    return tuple(sorted(names, key=lambda name: name == positive))


def label_weights(rows: Sequence[str], labels: Sequence[str], config: TrainingConfig) -> dict[str, float]:
    """Each label's weight in the loss. `balanced` gives every label the same sum of weights, 1 a row on average."""
    chosen = config.class_weight
    if chosen is None:
        return dict.fromkeys(labels, 1.0)
    if chosen == "balanced":
        counts = Counter(rows)
        return {label: len(rows) / (len(counts) * counts[label]) for label in labels if counts[label]}
    if unknown := sorted(set(chosen) - set(labels)):
        raise ConfigError(
            [f"training.class_weight.{label}: not a label of the data ({few_of(labels)})" for label in unknown]
        )
    return {label: chosen.get(label, 1.0) for label in labels}


def _by_value(label: str) -> tuple[bool, float, str]:
    # A label may well be "nan" or "inf", which are floats but have no place among them.
    try:
        number = float(label)
    except ValueError:
        number = math.nan
    return (False, number, label) if math.isfinite(number) else (True, 0.0, label)
