"""The columns that scoring adds to rows: what they are called, and what stands in them. Knows no formats."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_cli.arrays import Floats
from rnn_cli.batch.job import MARK, SKIP, Counts, Job
from rnn_cli.bundle.learned import learned_texts
from rnn_cli.copies.learned import LearnedTexts
from rnn_cli.data.reading.blocks import Block
from rnn_cli.data.reading.table import LABEL_NAMES
from rnn_cli.errors import DataError, Setting
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.of_each import DecisionOfEach, ranked
from rnn_cli.scoring.ordered import DecisionOfOrdered, expected_values
from rnn_cli.scoring.prediction import JOINS, exact_number, joining
from rnn_cli.scoring.predictor import Predictor, Scores

RANGE_ENDS = ("low", "high")
"""The columns of the ends of a number's range."""

DIGITS = 6
"""Decimals of a probability."""

Column = list[Any]
"""Of labels (str), probabilities (float) or marks (bool)."""


@dataclass(frozen=True)
class PredictedRows:
    """The added columns of a window's rows, by name, each as long as `kept`, the places of the rows that are written.

    `probabilities` are those of every label, by label, where they are added. A row that could not be read has None in
    all of them, but what was wrong in the column `error`.
    """

    kept: Sequence[int]
    columns: dict[str, Column]
    probabilities: dict[str, list[float | None]]
    counts: Counts


@dataclass(frozen=True)
class Added:
    """Which columns are added."""

    labels: tuple[str, ...]
    decision: Decision
    job: Job
    learned: LearnedTexts | None = None
    label_columns: Collection[str] = ()
    """A file with one of these columns has labelled rows, on which the model may be measured."""
    sets: Callable[[Floats], list[tuple[str, ...]]] | None = None
    """The set of labels of each row, by its probabilities, where the job asks for a coverage."""
    numbers: Callable[[Floats], Floats | None] | None = None
    """Of a model of numbers: the range of each row, by its number, `[rows, 2]`; None where no coverage is asked for."""

    @classmethod
    def by(cls, predictor: Predictor, job: Job) -> "Added":
        """Those of a model's predictions."""
        own = job.how.get("label_column")
        columns = {*LABEL_NAMES, *([own] if own else [])}
        return replace(cls.to_any(predictor, job), learned=learned_texts(predictor.bundle), label_columns=columns)

    @classmethod
    def to_any(cls, predictor: Predictor, job: Job) -> "Added":
        """The same for rows of which nobody asks whether they have labels."""
        if predictor.number:
            ranges = _no_ranges if job.coverage is None else partial(predictor.ranges, coverage=job.coverage)
            return cls((), predictor.decision, job, numbers=ranges)
        sets = None if job.coverage is None else partial(predictor.sets, coverage=job.coverage)
        return cls(predictor.labels, predictor.decision, job, sets=sets)

    @property
    def several(self) -> bool:
        """Whether a text may have several labels: then there are lists of them, in tables joined by `JOINS`."""
        return isinstance(self.decision, DecisionOfEach)

    @property
    def ordered(self) -> bool:
        """Whether the labels have an order: then there is their expected value, too."""
        return isinstance(self.decision, DecisionOfOrdered)

    @property
    def _listed(self) -> type:
        return list if self.job.format in ("jsonl", "parquet") else str

    def _of_each(self, probabilities: Floats) -> dict[str, Column]:
        """The labels predicted for each row and their probabilities, the most probable first."""
        rows = zip(self.decision.choose(probabilities), probabilities, strict=True)
        places = [(ranked(chosen, row), row) for chosen, row in rows]
        names = [[self.labels[place] for place in found] for found, _ in places]
        shares = [[round(float(row[place]), DIGITS) for place in found] for found, row in places]
        if self._listed is list:
            return {"labels": names, "label_probabilities": shares}
        written = [[f"{share:.{DIGITS}f}" for share in each] for each in shares]
        join = joining(self.labels) or JOINS[0]
        return {"labels": self._together(names), "label_probabilities": [join.join(each) for each in written]}

    def _together(self, names: Sequence[Sequence[str]]) -> Column:
        """Several labels of each row as the format has them: as a list, or joined as one value."""
        if self._listed is list:
            return list(map(list, names))
        join = joining(self.labels)
        return [join.join(each) if join else json.dumps(each, ensure_ascii=False) for each in names]

    @property
    def kinds(self) -> dict[str, type]:
        """The columns' names, in order, and what stands in them, but for the probabilities of every label."""
        kinds: dict[str, type] = {"label": str, "probability": float, "no_known_words": bool}
        if self.ordered:
            kinds = {"label": str, "probability": float, "expected": float, "no_known_words": bool}
        if self.numbers is not None:
            kind = float if self._listed is list else str
            kinds = {name: kind for name in ("number", *RANGE_ENDS[: 2 * (self.job.coverage is not None)])}
            kinds["no_known_words"] = bool
        if self.several:
            kinds = {"labels": self._listed, "label_probabilities": self._listed, "no_known_words": bool}
        if self.sets is not None:
            known = kinds.pop("no_known_words")
            kinds |= {"label_set": self._listed, "no_known_words": known}
        if self.decision.unsure_below:
            kinds["unsure"] = bool
        if self.job.on_bad_row == MARK:
            kinds["error"] = str
        return {self.job.prefix + name: kind for name, kind in kinds.items()}

    @property
    def names(self) -> list[str]:
        """The names of all columns, as a table has them."""
        return [*self.kinds, *([f"{self.job.prefix}p({label})" for label in self.labels] if self.job.proba else [])]

    @property
    def keys(self) -> list[str]:
        """The names as JSON Lines have them: the probabilities of every label are one object."""
        return [*self.kinds, *([f"{self.job.prefix}probabilities"] if self.job.proba else [])]

    def _predicted(self, probabilities: Floats) -> dict[str, Column]:
        if self.numbers is not None:
            return self._of_numbers(probabilities)
        return self._of_each(probabilities) if self.several else self._of_one(probabilities)

    def _of_one(self, probabilities: Floats) -> dict[str, Column]:
        """The label predicted for each row, and its probability."""
        chosen = self.decision.choose(probabilities)
        return {
            "label": [self.labels[label] for label in chosen.tolist()],
            "probability": _rounded(probabilities[np.arange(len(chosen)), chosen]),
            **({"expected": _rounded(expected_values(self.labels, probabilities))} if self.ordered else {}),
        }

    def _of_numbers(self, numbers: Floats) -> dict[str, Column]:
        """The number predicted for each row, and the ends of its range where a coverage is asked for."""
        assert self.numbers is not None
        ends = self.numbers(numbers)
        every = numbers if ends is None else np.hstack([numbers, ends])
        exact = [list(map(exact_number, column)) for column in every.T.tolist()]
        # In tables as text: six decimals, as probabilities have, would cut small numbers.
        written = exact if self._listed is list else [[f"{each:.9g}" for each in column] for column in exact]
        return dict(zip(("number", *RANGE_ENDS), written, strict=False))

    def refuse_columns(self, columns: Collection[str], where: str) -> None:
        """Raise DataError where a file has a column of such a name already, or several that the format cannot hold."""
        if self.job.format in ("jsonl", "parquet") and len(set(columns)) < len(columns):
            what = "has several columns without a name"
            raise DataError(what, where=where, hint=Setting("format", "csv", "name them, or write it as CSV: {}"))
        if taken := [name for name in (self.keys if self.job.format == "jsonl" else self.names) if name in columns]:
            raise DataError(
                f"has a column {taken[0]!r} already",
                where=where,
                hint=Setting("prefix", "predicted_", f"{{}} makes the added one predicted_{taken[0]}"),
            )

    def seen(self, columns: Sequence[str], rows: Block) -> int:
        """How many of a file's labelled rows the model learned from; 0 where the rows have no labels."""
        if self.learned is None or not any({column, column.lower()} & set(self.label_columns) for column in columns):
            return 0
        return int(self.learned.knows([text for row, text in enumerate(rows.texts) if row not in rows.faults]).sum())

    def of(self, rows: Block, scores: Scores) -> PredictedRows:
        """The predictions to a window's rows, of whose texts these are the scores."""
        faults = rows.faults
        skips = bool(faults) and self.job.on_bad_row == SKIP
        kept = [index for index in range(len(rows.lines)) if index not in faults] if skips else range(len(rows.lines))
        probabilities, known = scores.probabilities[kept], scores.known[kept]
        unsure = self.decision.unsure(probabilities)
        columns: dict[str, Column] = {
            **self._predicted(probabilities),
            **({} if self.sets is None else {"label_set": self._together(self.sets(probabilities))}),
            "no_known_words": (~known).tolist(),
            "unsure": unsure.tolist(),
            "error": [f"{rows.place(index)}: {faults[index].what}" if index in faults else None for index in kept],
        }
        columns = {name: columns[name.removeprefix(self.job.prefix)] for name in self.kinds}
        every = dict(zip(self.labels, map(_rounded, probabilities.T), strict=True)) if self.job.proba else {}
        bad = [] if skips else list(faults)
        cells = [column for name, column in columns.items() if name != f"{self.job.prefix}error"]
        for column in (*cells, *every.values()):
            for index in bad:
                column[index] = None
        unknown = ~known
        unknown[bad] = unsure[bad] = False
        counts = Counts(len(rows.lines), len(faults), int(unknown.sum()), int(unsure.sum()), tokens=scores.tokens)
        return PredictedRows(kept, columns, every, counts)


def _no_ranges(_: Floats) -> None:
    """Where no coverage is asked for."""


def _rounded(probabilities: npt.NDArray[np.float64]) -> list[float | None]:
    return [round(probability, DIGITS) for probability in probabilities.tolist()]
