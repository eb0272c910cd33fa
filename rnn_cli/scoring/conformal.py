"""Sets of labels that hold the true one as often as asked: split conformal prediction. Loads numpy only.

A run's validation rows tell how far off the true label may look. The set of a text has all labels that look no farther
off than that. Its coverage, the share of texts whose set holds the true label, is at least the one asked for on average
over validation rows and texts of one source, whatever the model; the bundle keeps the rows' sorted scores for it.

Where a text may have several labels, its set holds all of its labels that often, so the score of a row is that of the
label that looks farthest off; a row without labels is in every set. The score of a number is how far off its prediction
is, so that all numbers up to that distance are a range with the same coverage.

Source: Vovk, Gammerman and Shafer (2005), Algorithmic learning in a random world; Sadinle, Lei and Wasserman (2019),
Least ambiguous set-valued classifiers with bounded error levels; for ordered labels, whose sets have no gaps,
Chernozhukov, Wüthrich and Zhu (2021), Distributional conformal prediction; for several labels, the outer sets of
Cauchois, Gupta and Duchi (2021), Knowing what you know: valid and validated confidence sets in multiclass and
multilabel prediction; for numbers, Lei, G'Sell, Rinaldo, Tibshirani and Wasserman (2018), Distribution-free predictive
inference for regression.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import numpy as np

from rnn_cli.arrays import Flags, Floats, Indices
from rnn_cli.bundle.model_folder import CONFORMAL, MOST_SCORES
from rnn_cli.errors import UsageError
from rnn_cli.kinds import LabelsKind


@dataclass(frozen=True)
class Conformal:
    """The `scores` of `rows` validation rows in rising order: all, or of many `MOST_SCORES` at equal distances."""

    rows: int
    scores: tuple[float, ...]

    @classmethod
    def of_rows(cls, truth: Indices, probabilities: Floats, kind: LabelsKind) -> "Conformal":
        """Those of labelled rows: `truth` are indices of labels, `[rows]`, of several labels 1 or 0 for each,
        `[rows, labels]`, and `probabilities` `[rows, labels]`."""
        every = scores_of(probabilities, kind)
        if kind == "several":
            return cls._kept(np.where(truth == 1, every, 0.0).max(axis=1))
        return cls._kept(every[np.arange(len(truth)), truth])

    @classmethod
    def of_numbers(cls, errors: Floats) -> "Conformal":
        """Those of rows with numbers: how far off each row's prediction is, `[rows]`, in their unit."""
        return cls._kept(errors)

    @classmethod
    def _kept(cls, scores: Floats) -> "Conformal":
        found = np.sort(scores)
        return cls(len(found), tuple(found[[rank - 1 for rank in _ranks(len(found))]].tolist()))

    @classmethod
    def of_manifest(cls, data: Mapping[str, Any]) -> "Conformal | None":
        """Those that a bundle keeps; None of one of an earlier release."""
        kept = data.get(CONFORMAL)
        return None if kept is None else cls(kept["rows"], tuple(kept["scores"]))

    def to_dict(self) -> dict[str, Any]:
        """What a manifest keeps."""
        return {"rows": self.rows, "scores": list(self.scores)}

    @property
    def most(self) -> float:
        """The largest coverage that so many rows can vouch for."""
        return self.rows / (self.rows + 1)

    def farthest(self, coverage: float) -> float:
        """The score up to which a label is in the set; raises `UsageError` where the rows do not allow the coverage."""
        if not 0 < coverage < 1:
            raise UsageError(f"must be between 0 and 1, not {coverage:g}", where="coverage", hint="such as 0.9")
        # Without the last digits: (9 + 1) * 0.9 must not be a little more than 9.
        rank = ceil(round((self.rows + 1) * coverage, 9))
        if rank > self.rows:
            what = f"{self.rows:,} validation rows cannot vouch for a coverage of {coverage:g}"
            hint = f"the most is {floor(self.most * 1e4) / 1e4:g}, or train with more (data.validation)"
            raise UsageError(what, where="coverage", hint=hint)
        place = next(index for index, kept in enumerate(_ranks(self.rows)) if kept >= rank)
        return self.scores[place]

    def sets(self, probabilities: Floats, coverage: float, chosen: Indices, kind: LabelsKind) -> Flags:
        """Which labels are in each row's set, `[rows, labels]`; what is predicted always is.

        `chosen` is the predicted label, `[rows]`, of several 1 or 0 for each, `[rows, labels]`.
        """
        found = scores_of(probabilities, kind) <= self.farthest(coverage)
        if kind == "several":
            found |= chosen == 1
        else:
            found[np.arange(len(found)), chosen] = True
        return np.asarray(found)


def scores_of(probabilities: Floats, kind: LabelsKind) -> Floats:
    """How far off each label looks, `[rows, labels]`; the larger, the farther.

    That is how improbable the label is. Of ordered labels it is how much probability lies between it and the median,
    so that a set has no gap.
    """
    if kind != "ordered":
        return np.asarray(1 - probabilities)
    upto = np.cumsum(probabilities, axis=1)
    return np.asarray(np.maximum(upto - probabilities - 0.5, 0.5 - upto))


def _ranks(rows: int) -> Sequence[int]:
    """The ranks, from 1 on, of the scores that are kept of so many rows; the last is always among them."""
    kept = min(rows, MOST_SCORES)
    return [-(-index * rows // kept) for index in range(1, kept + 1)]
