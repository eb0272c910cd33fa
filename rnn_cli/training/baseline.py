"""The linear model that a network is measured against: TF-IDF and logistic regression, on the very same rows.

It is meant to be hard to beat: on a few thousand texts it often is the better classifier. Takes no TensorFlow.

Source: Wang and Manning (2012), Baselines and bigrams: simple, good sentiment and topic classification;
Joachims (1998), Text categorization with support vector machines: learning with many relevant features.
"""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from rnn_cli.arrays import label_indices
from rnn_cli.config.schema import Config
from rnn_cli.data.rows import Dataset
from rnn_cli.data.splits import Splits
from rnn_cli.evaluation.decide import decide
from rnn_cli.evaluation.metrics import measure
from rnn_cli.evaluation.scores import log_losses, tempered
from rnn_cli.linear.one_vs_rest import HANDFUL, OneVsRest, fit_one_vs_rest
from rnn_cli.scoring.decision import Decision
from rnn_cli.training.encoding import label_weights
from rnn_cli.training.fitted_baseline import Baseline, ScoredSide, sides_of, true_indices
from rnn_cli.training.listener import Listener
from rnn_cli.training.temperature import fit_temperature

SEED = 1

STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""The values of C, the inverse of the penalty's strength, that are tried."""

TOLERANCE = 1e-5
"""The largest entry of the gradient at which a fit ends. TF-IDF's values are small, and so are gradients: with
scikit-learn's own 1e-4 a fit that starts from the last one's weights can end before it has begun."""

MOST_WEIGHTS = 10_000_000
"""Features times outputs, at most: it bounds the memory; the rarest features go first."""


@dataclass(frozen=True)
class Features:
    """What texts are counted by, and of how many characters of training texts at most, which bounds the memory."""

    name: str
    analyzer: str
    ngram_range: tuple[int, int]
    most_characters: int

    def vectorizer(self, outputs: int) -> TfidfVectorizer:
        """Not fitted yet; scikit-learn's defaults but for what stands here."""
        return TfidfVectorizer(
            analyzer=self.analyzer,
            ngram_range=self.ngram_range,
            sublinear_tf=True,
            max_features=MOST_WEIGHTS // outputs,
        )


WORDS = Features("words and word pairs", "word", (1, 2), 40_000_000)
CHARACTERS = Features("up to three characters", "char", (1, 3), 8_000_000)
KNOWN_WORDS = 0.5
"""Where fewer of the validation texts' words than this occur in the training texts, characters are counted instead:
there are no words of two letters, or the script puts no spaces between them."""


def fit_baseline(splits: Splits, labels: Sequence[str], config: Config, listener: Listener) -> Baseline | None:
    """Fit it on the training rows, with the run's class weights; the validation rows choose C, as they do the epoch.

    They also choose its temperature and its threshold, as they do the network's.

    The best C is the one of the highest validation accuracy, of equal ones the one of the least log loss: on ten splits
    of the set `rotten_tomatoes` that gave 76.8 % of the validation and 76.8 % of the test rows, the least log loss
    alone 76.3 % and 76.7 %. None, with a note, where all training rows have one label, as those of further training
    may. More than a handful of labels are fitted one by one.
    """
    if len(set(splits.train.labels)) == 1:
        listener.note("no linear baseline: all training rows have the same label")
        return None
    listener.note("fitting the linear baseline")
    started = time.perf_counter()
    listener.doing("linear baseline: counting words")
    counted = _count(splits, outputs=1 if len(labels) == 2 else len(labels))
    truth = true_indices(splits, labels)
    sides = {name: counted.vectorizer.transform(side.texts) for name, side in sides_of(splits).items()}
    best: tuple[float, float] | None = None
    for strength, model in _fits(counted, labels, config, listener):
        found = model(sides["validation"])
        right = Decision().choose(found) == truth["validation"]
        merit = (float(right.mean()), -float(log_losses(truth["validation"], found).mean()))
        if best is None or merit > best:
            best, chosen, chosen_strength, validation = merit, model, strength, found
    listener.doing("linear baseline: measuring it")
    temperature = fit_temperature(truth["validation"], validation)
    decision = decide(config.decision, truth["validation"], tempered(validation, temperature)).decision

    def side_of(name: str) -> ScoredSide:
        found = tempered(chosen(sides[name]), temperature)
        predicted = decision.choose(found)
        return ScoredSide(truth[name], found, predicted, measure(labels, truth[name], found, predicted))

    seconds = time.perf_counter() - started
    baseline = Baseline(
        model=f"logistic regression, TF-IDF of {counted.features.name}",
        C=chosen_strength,
        features=counted.matrix.shape[1],
        rows=len(counted.rows),
        seconds=seconds,
        temperature=temperature,
        threshold=decision.threshold,
        sides={name: side_of(name) for name in sides},
    )
    listener.note(f"linear baseline: {baseline.in_words(len(splits.train))}")
    return baseline


@dataclass(frozen=True)
class Counted:
    """Training rows, as the features of the fitted vectorizer: `matrix` is `[rows, features]`, sparse."""

    rows: Dataset
    features: Features
    vectorizer: TfidfVectorizer
    matrix: Any


def _count(splits: Splits, outputs: int) -> Counted:
    for features in (WORDS, CHARACTERS):
        rows = _some(splits.train, features.most_characters)
        vectorizer = features.vectorizer(outputs)
        try:
            matrix = vectorizer.fit_transform(rows.texts)
        except ValueError:  # there is not one word
            continue
        if features is CHARACTERS or _knows_words(vectorizer, splits.validation.texts):
            break
    return Counted(rows, features, vectorizer, matrix)


def _some(rows: Dataset, most_characters: int) -> Dataset:
    """All rows, or as many by chance as hold so many characters."""
    lengths = np.fromiter(map(len, rows.texts), np.intp, len(rows))
    if lengths.sum() <= most_characters:
        return rows
    order = np.random.default_rng(SEED).permutation(len(rows))
    return rows.select(np.sort(order[: np.searchsorted(lengths[order].cumsum(), most_characters)]).tolist())


def _knows_words(vectorizer: TfidfVectorizer, texts: Sequence[str]) -> bool:
    words = [word for text in texts for word in vectorizer.build_tokenizer()(text.lower())]
    return sum(word in vectorizer.vocabulary_ for word in words) > KNOWN_WORDS * len(words)


Scores = Callable[[Any], npt.NDArray[np.float64]]
"""A fitted model: features, sparse, `[rows, features]` → probabilities `[rows, labels]`."""


def _fits(
    counted: Counted, labels: Sequence[str], config: Config, listener: Listener
) -> Iterator[tuple[float, Scores]]:
    """A model for each of `STRENGTHS`, from the weights of the one before."""
    of_label = label_weights(counted.rows.labels, labels, config.training)
    weights = np.array([of_label[label] for label in counted.rows.labels])
    truth = label_indices(labels, counted.rows.labels)
    fits = _one_by_one if len(labels) > HANDFUL else _together
    yield from zip(STRENGTHS, fits(counted.matrix, truth, weights, len(labels), listener), strict=True)


def _together(
    matrix: Any, truth: npt.NDArray[np.intp], weights: npt.NDArray[np.float64], labels: int, listener: Listener
) -> Iterator[Scores]:
    model = LogisticRegression(solver="newton-cg", tol=TOLERANCE, max_iter=1000, warm_start=True)

    def scores(model: LogisticRegression) -> Scores:
        def probabilities(features: Any) -> npt.NDArray[np.float64]:
            every = np.zeros((features.shape[0], labels))
            every[:, model.classes_] = model.predict_proba(features)  # rows of further training may lack a label
            return every

        return probabilities

    for done, strength in enumerate(STRENGTHS):
        listener.progress("linear baseline: strengths", done, len(STRENGTHS))
        model.set_params(C=strength)
        with warnings.catch_warnings():  # one that has not quite converged is a candidate like any other
            warnings.simplefilter("ignore")
            model.fit(matrix, truth, sample_weight=weights)
        yield scores(deepcopy(model))


def _one_by_one(
    matrix: Any, truth: npt.NDArray[np.intp], weights: npt.NDArray[np.float64], labels: int, listener: Listener
) -> Iterator[Scores]:
    model: OneVsRest | None = None
    for done, strength in enumerate(STRENGTHS):
        on_progress = partial(_progress, listener, done * labels, len(STRENGTHS) * labels)
        model = fit_one_vs_rest(matrix, truth, labels, strength, weights, start=model, on_progress=on_progress)
        yield model.probabilities


def _progress(listener: Listener, before: int, total: int, done: int) -> None:
    listener.progress("linear baseline: labels", before + done, total)
