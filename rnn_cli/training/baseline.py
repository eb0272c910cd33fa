"""The linear model that a network is measured against: TF-IDF and logistic regression, on the very same rows.

It is meant to be hard to beat: on a few thousand texts it often is the better classifier. Takes no TensorFlow.

Source: Wang and Manning (2012), Baselines and bigrams: simple, good sentiment and topic classification;
Joachims (1998), Text categorization with support vector machines: learning with many relevant features.
"""

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from rnn_cli.config import Config
from rnn_cli.data.rows import Dataset
from rnn_cli.data.splits import Splits
from rnn_cli.evaluation.against import Against
from rnn_cli.evaluation.calibration import tempered
from rnn_cli.evaluation.comparison import compare
from rnn_cli.evaluation.decide import decide
from rnn_cli.evaluation.losses import log_losses
from rnn_cli.evaluation.metrics import Figures, measure
from rnn_cli.evaluation.temperature import fit_temperature
from rnn_cli.scoring.decision import Decision
from rnn_cli.training.labels import label_weights
from rnn_cli.training.listener import Listener

if TYPE_CHECKING:  # loading it loads ONNX Runtime
    from rnn_cli.evaluation.evaluate import Evaluation

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


@dataclass(frozen=True)
class Answered:
    """The baseline's answers to the rows of one side and how good they are.

    `truth` and `answers` are indices into the run's labels, `[rows]`; `probabilities` is `[rows, labels]`.
    """

    truth: npt.NDArray[np.intp]
    probabilities: npt.NDArray[np.float64]
    answers: npt.NDArray[np.intp]
    figures: Figures


@dataclass(frozen=True)
class Baseline:
    """A fitted linear model, known by what it answered: `sides` are `validation` and, if there are such rows, `test`.

    `model` names it in words, `C` is the chosen one of `STRENGTHS`, `features` and `rows` count what it was fitted on;
    `seconds` are those of all fits, counting the features included; `temperature` and `threshold` are what a bundle's
    manifest calls so.
    """

    model: str
    C: float
    features: int
    rows: int
    seconds: float
    temperature: float
    threshold: float
    sides: Mapping[str, Answered]

    def against(self, name: str, network: "Evaluation", knew_more: bool) -> Against:
        """The network held against it on the rows of one side; `knew_more` is `Against`'s."""
        side = self.sides[name]
        labels = side.probabilities.shape[1]
        return Against(side.figures, compare(side.truth, network.answers, side.answers, labels), knew_more)

    def columns(self, name: str) -> pd.DataFrame:
        """One row a text of one side: the prediction's probability and the prediction."""
        side = self.sides[name]
        return pd.DataFrame(
            {
                "baseline_probability": side.probabilities[np.arange(len(side.answers)), side.answers],
                "baseline_prediction": [side.figures.labels[answer] for answer in side.answers],
            }
        )

    def to_dict(self, against: Mapping[str, Against]) -> dict[str, Any]:
        """What `metrics.json` tells of it. Not the seconds, so that a run repeated writes the same file."""
        return {
            "model": self.model,
            "C": self.C,
            "features": self.features,
            "rows": self.rows,
            "temperature": self.temperature,
            "threshold": self.threshold,
            **{name: each.figures.to_dict() for name, each in against.items()},
            "comparison": {name: each.comparison.to_dict() for name, each in against.items()},
        }


def fit_baseline(splits: Splits, labels: Sequence[str], config: Config, listener: Listener) -> Baseline | None:
    """Fit it on the training rows, with the run's class weights; the validation rows choose C, as they do the epoch.

    They also choose its temperature and its threshold, as they do the network's.

    The best C is the one of the highest validation accuracy, of equal ones the one of the least log loss: on ten splits
    of the set `rotten_tomatoes` that gave 76.8 % of the validation and 76.8 % of the test rows, the least log loss
    alone 76.3 % and 76.7 %. None, with a note, where all training rows have one label, as those of further training
    may.
    """
    if len(set(splits.train.labels)) == 1:
        listener.note("no linear baseline: all training rows have the same label")
        return None
    listener.note("fitting the linear baseline")
    started = time.perf_counter()
    counted = _count(splits, outputs=1 if len(labels) == 2 else len(labels))
    places = {label: place for place, label in enumerate(labels)}
    sides = {"validation": splits.validation} | ({"test": splits.test} if len(splits.test) else {})
    truth = {name: np.array([places[label] for label in side.labels], np.intp) for name, side in sides.items()}

    def probabilities(model: LogisticRegression, name: str) -> npt.NDArray[np.float64]:
        found = model.predict_proba(counted.vectorizer.transform(sides[name].texts))
        every = np.zeros((len(found), len(labels)))
        every[:, model.classes_] = found  # rows of further training need not have every label
        return every

    best: tuple[float, float] | None = None
    for model in _fits(counted, places, label_weights(counted.rows.labels, labels, config.training)):
        found = probabilities(model, "validation")
        right = Decision().choose(found) == truth["validation"]
        merit = (float(right.mean()), -float(log_losses(truth["validation"], found).mean()))
        if best is None or merit > best:
            best, chosen, validation = merit, model, found
    temperature = fit_temperature(truth["validation"], validation)
    decision = decide(config.decision, truth["validation"], tempered(validation, temperature)).decision

    def answered(name: str) -> Answered:
        found = tempered(probabilities(chosen, name), temperature)
        answers = decision.choose(found)
        return Answered(truth[name], found, answers, measure(labels, truth[name], found, answers))

    seconds = time.perf_counter() - started
    baseline = Baseline(
        model=f"logistic regression, TF-IDF of {counted.features.name}",
        C=chosen.C,
        features=chosen.n_features_in_,
        rows=len(counted.rows),
        seconds=seconds,
        temperature=temperature,
        threshold=decision.threshold,
        sides={name: answered(name) for name in sides},
    )
    listener.note(_told(baseline, len(splits.train)))
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


def _fits(counted: Counted, places: Mapping[str, int], weights: Mapping[str, float]) -> Iterator[LogisticRegression]:
    """A model for each of `STRENGTHS`, from the weights of the one before."""
    truth = [places[label] for label in counted.rows.labels]
    each = [weights[label] for label in counted.rows.labels]
    model = LogisticRegression(solver="newton-cg", tol=TOLERANCE, max_iter=1000, warm_start=True)
    for strength in STRENGTHS:
        model.set_params(C=strength)
        with warnings.catch_warnings():  # one that has not quite converged is a candidate like any other
            warnings.simplefilter("ignore")
            model.fit(counted.matrix, truth, sample_weight=each)
        yield deepcopy(model)


def _told(baseline: Baseline, rows: int) -> str:
    some = "" if baseline.rows == rows else f", on {baseline.rows:,} training rows by chance"
    return (
        f"linear baseline: validation {baseline.sides['validation'].figures.accuracy:.1%} "
        f"({baseline.model.partition(', ')[2]}, C={baseline.C:g}{some}; {baseline.seconds:.0f}s)"
    )
