"""What the other columns of a row are worth to a model: its figures where a column's values are shuffled.

Each column is shuffled among the rows, the texts and the other columns as they are, so that it tells nothing any more
but keeps its values (Breiman 2001, Random Forests; Fisher, Rudin and Dominici 2019, All Models are Wrong, but Many are
Useful). What a column tells that the text or another column tells, too, is not lost.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rnn_cli.arrays import Floats, Indices
from rnn_cli.bundle.model_folder import METRICS, Bundle
from rnn_cli.evaluation.compare import reading_metrics
from rnn_cli.evaluation.evaluate import Evaluation
from rnn_cli.evaluation.evaluate_several import SeveralEvaluation
from rnn_cli.evaluation.intervals import NORMAL_95
from rnn_cli.evaluation.scores import log_losses
from rnn_cli.evaluation.several import log_losses_of_each
from rnn_cli.scoring.predictor import Predictor

SHUFFLES, SHUFFLED_ROWS, SHUFFLE_SEED = 5, 1_000, 1
"""How often a column is shuffled, and among how many rows: of more, a sample by chance."""

COLUMN_WORTH = "columns"
"""The key of a run's metrics that holds it, by side."""


@dataclass(frozen=True)
class ColumnImportance:
    """What a model loses on `rows` rows where the values of the column `name` are shuffled.

    `lost` is the fall of the share of rows that are right (of several labels a text, in all of them), `interval` its
    95 % interval over rows; `risen` is the rise of the log loss, in nats a row.
    """

    name: str
    kind: str
    rows: int
    lost: float
    interval: tuple[float, float]
    risen: float

    def in_words(self, side: str) -> str:
        """The same in one line."""
        low, high = (100 * end for end in self.interval)
        verb = "falls" if self.lost >= 0 else "rises"
        return (
            f"column {self.name}: shuffled among {self.rows:,} {side} rows, accuracy {verb} by "
            f"{100 * abs(self.lost):.1f} points (95% interval of the fall {low:.1f} to {high:.1f}), log loss "
            f"{'rises' if self.risen >= 0 else 'falls'} by {abs(self.risen):.3f}"
        )


def column_importance(predictor: Predictor, found: Evaluation | SeveralEvaluation) -> tuple[ColumnImportance, ...]:
    """What each of the model's other columns is worth on the rows of an evaluation; nothing where it reads none."""
    if predictor.extra_columns is None:
        return ()
    chance = np.random.default_rng(SHUFFLE_SEED)
    chosen = np.arange(len(found.truth))
    if len(chosen) > SHUFFLED_ROWS:
        chosen = np.sort(chance.permutation(chosen)[:SHUFFLED_ROWS])
    rows, truth = found.dataset.select(chosen.tolist()), found.truth[chosen]
    right, losses = _measured(predictor, truth, found.scores.probabilities[chosen])
    worth = []
    for column in predictor.extra_columns.columns:
        values = rows.further[column.name]
        fallen, risen = np.zeros(len(rows)), 0.0
        for _ in range(SHUFFLES):
            order = chance.permutation(len(rows)).tolist()
            shuffled = {**rows.further, column.name: [values[row] for row in order]}
            still, more = _measured(predictor, truth, predictor.score(rows.texts, shuffled).probabilities)
            fallen += (right - still) / SHUFFLES
            risen += float((more - losses).mean()) / SHUFFLES
        lost = float(fallen.mean())
        half = NORMAL_95 * float(fallen.std(ddof=1)) / np.sqrt(len(rows)) if len(rows) > 1 else 1.0
        worth.append(ColumnImportance(column.name, column.kind, len(rows), lost, (lost - half, lost + half), risen))
    return tuple(worth)


def _measured(predictor: Predictor, truth: Indices, probabilities: Floats) -> tuple[Floats, Floats]:
    """Whether each row is right, 1 or 0, and its log loss."""
    chosen = predictor.decision.choose(probabilities)
    if truth.ndim == 2:
        return (chosen == truth).all(axis=1).astype(np.float64), log_losses_of_each(truth, probabilities)
    return (chosen == truth).astype(np.float64), log_losses(truth, probabilities)


def importance_to_dict(by_side: Mapping[str, tuple[ColumnImportance, ...]]) -> dict[str, Any]:
    """The part of a run's metrics; nothing for a model that reads no other columns."""
    found = {side: [asdict(each) for each in worth] for side, worth in by_side.items() if worth}
    return {COLUMN_WORTH: found} if found else {}


def kept_importance(opened: Bundle) -> tuple[str, tuple[ColumnImportance, ...]]:
    """What a run kept: the side, the last that was measured, and its columns. Raises `BundleError`."""
    if METRICS not in opened.manifest.files:
        return "", ()
    with reading_metrics(opened) as kept:
        found = kept.get(COLUMN_WORTH) or {}
        if not found:
            return "", ()
        side = list(found)[-1]
        worth = [ColumnImportance(**{**each, "interval": tuple(each["interval"])}) for each in found[side]]
        return side, tuple(worth)
