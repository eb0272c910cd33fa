"""The model in the loop: a linear one on n-grams and short vectors, fitted anew in the background after each answer.

Nobody waits for it: whoever asks gets what the last finished fit knows. Knows nothing of logs or files.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import expit

from rnn_cli.arrays import Flags, Floats, Floats32, Indices
from rnn_cli.copies.words import split_words
from rnn_cli.kinds import LabelsKind
from rnn_cli.labelling.answers import LabelOrSet, labels_in
from rnn_cli.labelling.curve import Curve, fit_curve
from rnn_cli.labelling.vectors import TextVectors
from rnn_cli.linear.logistic import Logistic, fit_each_label, fit_logistic

STRENGTH = 30.0
"""C of the fit. Chosen on 50, 200 and 800 sentences of `rotten_tomatoes`, with the weights of the vectors' parts."""

CURVE_EVERY = 10
"""After so many more answers, or fewer, the learning curve is fitted anew, when the model has nothing else to do."""

TOLD_WORDS, MOST_TRIED = 5, 60
"""Of a text's first `MOST_TRIED` different words so many are told that speak for a label or against it."""


@dataclass(frozen=True)
class Beside:
    """Short vectors beside n-grams, as one matrix that is multiplied with weights."""

    dense: Floats32
    ngrams: sparse.csr_matrix

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of both."""
        return self.ngrams.shape[0], self.dense.shape[1] + self.ngrams.shape[1]

    def __matmul__(self, weights: Floats) -> Floats:
        """The product with weights `[columns, width]`: `[rows, width]`."""
        width = self.dense.shape[1]
        found: Floats = self.dense @ weights[:width] + self.ngrams @ weights[width:]
        return found

    def joined(self) -> sparse.csr_matrix:
        """Both as one sparse matrix."""
        return sparse.hstack([sparse.csr_matrix(self.dense.astype(np.float64)), self.ngrams], format="csr")


@dataclass(frozen=True)
class EachLabel:
    """A model that decides on each label by itself: weights `[features, labels]` and bias `[labels]`."""

    weights: Floats
    bias: Floats

    def probabilities(self, matrix: Any) -> Floats:
        """The probability of each label `[rows, labels]`."""
        found: Floats = expit(matrix @ self.weights + self.bias)
        return found


def predicted_labels(kind: LabelsKind, labels: Sequence[str], probabilities: Floats) -> list[LabelOrSet]:
    """What a model says of each text: the most probable label, or all that are more probable than not."""
    if kind == "several":
        return [tuple(label for label, each in zip(labels, row, strict=True) if each) for row in probabilities > 0.5]
    return [labels[at] for at in probabilities.argmax(axis=1)]


@dataclass(frozen=True)
class Opinion:
    """What a fit knows: the probability of each of `labels` for each text of the pool, `[pool, labels]`."""

    labels: tuple[str, ...]
    probabilities: Floats
    rows: int
    """How many labelled texts it was fitted to."""
    model: Logistic | EachLabel
    kind: LabelsKind = "single"

    @property
    def margins(self) -> Floats:
        """How sure the model is of each text, `[pool]`: by how much the most probable label exceeds the next one.

        Of several labels, how far the least sure one is from a half, doubled; of ordered ones 1 less the probabilities'
        standard deviation in places, as a share of the largest that there is.
        """
        if self.kind == "several":
            unsure: Floats = np.abs(2 * self.probabilities - 1).min(axis=1)
            return unsure
        if self.kind == "ordered":
            places = np.arange(self.probabilities.shape[1])
            mean = self.probabilities @ places
            spread: Floats = np.sqrt((self.probabilities @ places**2 - mean**2).clip(0))
            sure: Floats = 1 - spread / (places[-1] / 2)
            return sure
        top = np.partition(self.probabilities, -2, axis=1)[:, -2:]
        found: Floats = top[:, 1] - top[:, 0]
        return found


class LoopModel:
    """Fits texts of a pool, and others, by number; those below the pool's size are its own.

    `kind` says whether a text has one label, several, or one of labels that have an order.
    """

    def __init__(self, vectors: TextVectors, kind: LabelsKind = "single") -> None:
        self.vectors, self.kind = vectors, kind
        self._pool = Beside(vectors.dense, vectors.ngrams)
        self._more: dict[int, Beside] = {}
        self._latest: Opinion | None = None
        self._curve: Curve | None = None
        self._fitted: Curve | None = None
        self._steps: Iterator[Curve | None] | None = None
        self._curve_of = 0
        self._learned: tuple[Sequence[str], Mapping[int, LabelOrSet]] = (), {}
        self._failed: BaseException | None = None
        self._wanted: tuple[Sequence[str], Mapping[int, LabelOrSet]] | None = None
        self._is_busy = self._is_over = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def latest(self) -> Opinion | None:
        """What the last finished fit knows; None before there was one. Raises what stopped the fits."""
        if self._failed is not None:
            raise self._failed
        return self._latest

    @property
    def curve(self) -> Curve | None:
        """The learning curve, of up to so many answers ago as it takes to fit it; None where it is not known."""
        return self._curve

    def add(self, number: int, text: str) -> None:
        """Have a text that is not in the pool under a number of its own."""
        if number not in self._more:
            ngrams, dense = self.vectors.more([text])
            self._more[number] = Beside(dense, ngrams)

    def learn(self, labels: Sequence[str], answers: Mapping[int, LabelOrSet]) -> None:
        """Have the answers learned in the background, by text; of calls in a row only the last need be heard."""
        with self._changed:
            self._wanted = tuple(labels), dict(answers)
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="learner", daemon=True)
                self._thread.start()

    def wait(self) -> None:
        """Wait until all that was to be learned is."""
        with self._changed:
            self._changed.wait_for(lambda: (self._wanted is None and not self._is_busy) or self._failed is not None)

    def wait_for_curve(self) -> None:
        """Wait until all is learned, and the learning curve fitted."""
        self.wait()
        with self._changed:
            self._changed.wait_for(lambda: self._steps is None or self._failed is not None)

    def close(self) -> None:
        """End the thread, when its fit is done."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_over or self._wanted is not None or self._steps is not None)
                if self._is_over:
                    return
                wanted, self._wanted, self._is_busy = self._wanted, None, self._wanted is not None
            try:
                if wanted is not None:
                    self._latest, self._learned = self.fit(*wanted), wanted
                else:
                    self._go_on_with_curve()
                self._begin_curve(*self._learned)
            except BaseException as error:
                self._failed, self._latest = error, None
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()
                if self._failed is not None:
                    return

    def _begin_curve(self, labels: Sequence[str], answers: Mapping[int, LabelOrSet]) -> None:
        """Fit the curve next, unless a fit of almost these answers is begun; after a few more it would never end."""
        if self._steps is not None or abs(len(answers) - self._curve_of) < CURVE_EVERY:
            return

        def is_right(learned: Sequence[int], held_out: Sequence[int]) -> Flags | None:
            known = {number: answers[number] for number in learned}
            model = self.model_of(labels, known)
            if model is None:
                return None
            found = predicted_labels(self.kind, labels, model.probabilities(self.rows_of(held_out)))
            return np.array([one == answers[number] for one, number in zip(found, held_out, strict=True)], np.bool_)

        self._fitted = None
        self._steps, self._curve_of = fit_curve(list(answers), is_right), len(answers)

    def _go_on_with_curve(self) -> None:
        assert self._steps is not None
        try:
            self._fitted = next(self._steps)
        except StopIteration:
            self._curve, self._steps = self._fitted, None

    def fit(self, labels: Sequence[str], answers: Mapping[int, LabelOrSet]) -> Opinion | None:
        """Fit the answers now; None where all are the same."""
        model = self.model_of(labels, answers)
        if model is None:
            return None
        return Opinion(tuple(labels), model.probabilities(self._pool), len(answers), model, self.kind)

    def model_of(self, labels: Sequence[str], answers: Mapping[int, LabelOrSet]) -> Logistic | EachLabel | None:
        """A model of the answers, fitted now; None where all are the same."""
        if len(set(answers.values())) < 2:
            return None
        rows, given = self.rows_of(list(answers)).joined(), [labels_in(each) for each in answers.values()]
        if self.kind == "several":
            truth = np.array([[label in each for label in labels] for each in given], np.intp)
            return EachLabel(*next(fit_each_label(rows, truth, (STRENGTH,), np.ones(len(given)))))
        classes = np.array([labels.index(label) for (label,) in given], np.intp)
        return fit_logistic(rows, classes, len(labels), STRENGTH)

    def rows_of(self, numbers: Sequence[int]) -> Beside:
        """Short vectors and n-grams of some texts, in order."""
        own = [number for number in numbers if number not in self._more]
        parts = [Beside(self._pool.dense[own], self._pool.ngrams[own])]
        parts += [self._more[number] for number in numbers if number in self._more]
        place = {number: at for at, number in enumerate([*own, *(each for each in numbers if each in self._more)])}
        order = [place[number] for number in numbers]
        dense = np.concatenate([part.dense for part in parts])
        ngrams: Any = sparse.vstack([part.ngrams for part in parts], format="csr")
        return Beside(dense[order], ngrams[order])

    def probabilities(self, opinion: Opinion, numbers: Sequence[int]) -> Floats:
        """What an opinion says of some texts, `[numbers, labels]`."""
        return opinion.model.probabilities(self.rows_of(numbers))

    def words_for(self, opinion: Opinion, text: str, label: int) -> tuple[list[str], list[str]]:
        """The words of a text without which a label would be less probable, and more; the weightiest first."""
        words = list(dict.fromkeys(split_words(text)))[:MOST_TRIED]
        if not words:
            return [], []
        without = [" ".join(each for each in split_words(text) if each != word) for word in words]
        ngrams, dense = self.vectors.more([" ".join(split_words(text)), *without])
        whole, *rest = np.log(opinion.model.probabilities(Beside(dense, ngrams))[:, label].clip(1e-9)).tolist()
        effects: Indices = np.argsort([each - whole for each in rest], kind="stable")
        for_it = [words[at] for at in effects[:TOLD_WORDS] if rest[at] < whole]
        return for_it, [words[at] for at in effects[::-1][:TOLD_WORDS] if rest[at] > whole]
