"""How the accuracy has grown: models of the first 10, 20, ... answers, all measured on the same texts drawn by chance.

They are fitted in the background, each once; also those of an earlier sitting. Knows nothing of logs or files.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from rnn_cli.arrays import Floats, Indices
from rnn_cli.labelling.answers import LabelOrSet
from rnn_cli.labelling.figures import MeasuredShare
from rnn_cli.labelling.learner import Opinion, predicted_labels

FIRST_POINT, MOST_POINTS = 10, 16
"""Points are so many answers apart, or twice as many, or four times: at most `MOST_POINTS` of them."""

Told = list[LabelOrSet] | None
"""What a fit says of the texts that may be drawn; None where it learned nothing."""

Fit = Callable[[Sequence[str], Mapping[int, LabelOrSet]], Opinion | None]
"""Fits texts by number to labels; None where those teach no model."""


@dataclass(frozen=True)
class LabelledText:
    """A text by number, and its label; `is_drawn` if it was drawn by chance, and is measured on, not learned."""

    number: int
    label: LabelOrSet
    is_drawn: bool


@dataclass(frozen=True)
class CoursePoint:
    """The accuracy of a model of the first so many answers."""

    answers: int
    accuracy: MeasuredShare


class Course:
    """The points that are known yet; `kept` are the numbers of the texts that may be drawn by chance."""

    def __init__(self, fit: Fit, kept: Indices, weights: Floats) -> None:
        """`weights` are how many rows each text stands for, by number."""
        self._fit, self._weights = fit, weights
        self._kept = kept
        self._place = {int(number): at for at, number in enumerate(kept)}
        self._found: dict[tuple[tuple[int, LabelOrSet], ...], Future[Told]] = {}
        self._worker: ThreadPoolExecutor | None = None

    def points(self, labels: Sequence[str], answers: Sequence[LabelledText]) -> list[CoursePoint]:
        """The points of these answers, in the order in which they were given. Raises what stopped a fit."""
        drawn = [each for each in answers if each.is_drawn and each.number in self._place]
        if not drawn:
            return []
        weights = self._weights[[each.number for each in drawn]].tolist()
        found = []
        for size in point_sizes(len(answers)):
            known = tuple((each.number, each.label) for each in answers[:size] if not each.is_drawn)
            if known not in self._found:
                self._found[known] = self._begun(labels, known)
            if self._found[known].done() and (told := self._found[known].result()) is not None:
                right = [told[self._place[each.number]] == each.label for each in drawn]
                measured = MeasuredShare.of(right, weights)
                assert measured is not None
                found.append(CoursePoint(size, measured))
        return found

    def wait(self) -> None:
        """Wait until every point that was asked for is known."""
        for each in list(self._found.values()):
            each.result()

    def close(self) -> None:
        """End the background work, when its fit is done."""
        if self._worker is not None:
            self._worker.shutdown(cancel_futures=True)

    def _begun(self, labels: Sequence[str], known: Sequence[tuple[int, LabelOrSet]]) -> "Future[Told]":
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, "course")
        return self._worker.submit(self._predict, tuple(labels), dict(known))

    def _predict(self, labels: Sequence[str], known: Mapping[int, LabelOrSet]) -> Told:
        opinion = self._fit(labels, known)
        if opinion is None:
            return None
        return predicted_labels(opinion.kind, opinion.labels, opinion.probabilities[self._kept])


def point_sizes(answers: int) -> range:
    """After how many answers there is a point. More answers keep these points, or every second one."""
    apart = FIRST_POINT
    while answers // apart > MOST_POINTS:
        apart *= 2
    return range(apart, answers + 1, apart)
