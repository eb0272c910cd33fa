"""What a bundle keeps of the texts that its model was trained and measured on: counts and sums, no texts.

About 50 KB, whatever the number of texts: histograms, in how many texts each hash of words occurs, and the sums of the
texts' vectors in two halves. Of more than `MOST_TEXTS` training texts a sample by chance is summarized.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from rnn_cli.arrays import Floats, Indices
from rnn_cli.bundle.model_folder import SUMMARY, Bundle
from rnn_cli.columns import ExtraValues
from rnn_cli.errors import BundleError
from rnn_cli.monitoring.features import (
    OF_COLUMN,
    OF_CONFIDENCE,
    OF_LANGUAGE,
    OF_LENGTH,
    OF_NUMBER,
    OF_PREDICTION,
    OF_SCRIPT,
    OF_UNKNOWN,
    Histogram,
    ReadTexts,
    checked_histogram,
    count_columns,
    count_predictions,
    count_texts,
)
from rnn_cli.monitoring.words import BUCKETS, Hashed, counts_of, rarity, sum_of_vectors
from rnn_cli.scoring.predictor import Predictor

MOST_TEXTS, SUMMARY_SEED = 10_000, 1

SUMMARY_VERSION = 1

_HEAD_BYTES = 1 << 20
"""More than the histograms of any texts take."""

_ARRAYS_BYTES = BUCKETS * 4 * 3


@dataclass(frozen=True)
class TextsSummary:
    """What is known of the training texts and of those kept aside.

    `counts` `[BUCKETS]` are the numbers of training texts with a word of each hash, of `sizes` together; `sums`
    `[2, BUCKETS]` are the sums of the vectors of two halves, of these sizes. `histograms` are by feature.
    """

    counts: Indices
    sums: Floats
    sizes: tuple[int, int]
    histograms: Mapping[str, Histogram]

    @property
    def texts(self) -> int:
        """How many training texts are summarized."""
        return sum(self.sizes)

    def to_bytes(self) -> bytes:
        """A line of JSON, then the counts and the sums as little-endian 32-bit numbers."""
        head = {
            "version": SUMMARY_VERSION,
            "sizes": self.sizes,
            "histograms": {name: asdict(each) for name, each in self.histograms.items()},
        }
        line = json.dumps(head, ensure_ascii=True).encode("ascii") + b"\n"
        return line + self.counts.astype("<u4").tobytes() + self.sums.astype("<f4").tobytes()

    @classmethod
    def from_bytes(cls, content: bytes) -> "TextsSummary":
        """Read what `to_bytes` wrote; raises `ValueError` for anything else."""
        try:
            line, arrays = content[:-_ARRAYS_BYTES], content[-_ARRAYS_BYTES:]
            if len(line) > _HEAD_BYTES or not line.endswith(b"\n") or len(arrays) != _ARRAYS_BYTES:
                raise ValueError("its size")
            head = json.loads(line)
            if head["version"] != SUMMARY_VERSION:
                raise ValueError("its version")
            first, second = head["sizes"]
            if not all(type(size) is int and 0 < size < 2**31 for size in (first, second)):
                raise ValueError("its sizes")
            histograms = {name: checked_histogram(name, head["histograms"][name]) for name in head["histograms"]}
            named = {name for name in histograms if not name.startswith(OF_COLUMN)}
            of_kind = {OF_NUMBER} if OF_NUMBER in named else {OF_PREDICTION, OF_CONFIDENCE}
            if not {OF_LENGTH, OF_SCRIPT, OF_UNKNOWN, *of_kind} <= named <= set(FEATURES):
                raise ValueError("its histograms")
        except (AttributeError, KeyError, RecursionError, TypeError) as error:
            raise ValueError(f"its head ({error})") from None
        counts = np.frombuffer(arrays[: BUCKETS * 4], "<u4").astype(np.intp)
        sums = np.frombuffer(arrays[BUCKETS * 4 :], "<f4").astype(np.float64).reshape(2, BUCKETS)
        sizes = np.array([[first], [second]])
        if not (
            np.isfinite(sums).all() and (sums >= 0).all() and (sums <= sizes).all() and counts.max() <= first + second
        ):
            raise ValueError("its numbers")
        return cls(counts, sums, (first, second), histograms)


FEATURES = (OF_LENGTH, OF_SCRIPT, OF_LANGUAGE, OF_UNKNOWN, OF_PREDICTION, OF_CONFIDENCE, OF_NUMBER)
"""All that is counted of texts, in the order in which it is told; other columns of rows follow."""


def summarize(
    predictor: Predictor,
    training: Sequence[str],
    kept_aside: Sequence[str],
    probabilities: Floats,
    columns: ExtraValues | None = None,
) -> TextsSummary | None:
    """The summary of training texts, and of texts kept aside with the model's probabilities for them.

    `columns` are the values of the other columns that the model reads, of the training rows.
    None where there are too few training texts to halve, or none kept aside.
    """
    if len(training) < 2 or not kept_aside:
        return None
    order = np.random.default_rng(SUMMARY_SEED).permutation(len(training))[:MOST_TEXTS]
    texts = [training[row] for row in order.tolist()]
    hashed = Hashed()
    places = [hashed.places(text) for text in texts]
    counts = counts_of(places)
    weights = rarity(counts, len(texts))
    halves = places[::2], places[1::2]
    sums = np.stack([sum_of_vectors(half, weights) for half in halves])
    alone = count_texts(texts, ReadTexts.of(predictor, texts).lengths)
    of_model = count_predictions(predictor, ReadTexts.of(predictor, kept_aside).unknown, probabilities)
    found = alone | of_model
    histograms = {name: found[name] for name in FEATURES if name in found}
    rows = {name: [values[row] for row in order.tolist()] for name, values in (columns or {}).items()}
    histograms |= count_columns(predictor.extra_columns, rows)
    return TextsSummary(
        counts, sums.astype(np.float32).astype(np.float64), (len(halves[0]), len(halves[1])), histograms
    )


def kept_summary(opened: Bundle) -> TextsSummary:
    """The summary that a bundle keeps. Raises `BundleError` where it has none, or a damaged one."""
    if SUMMARY not in opened.manifest.files:
        what = "keeps no summary of its texts (an export does not, nor did earlier releases)"
        raise BundleError(what, where=str(opened.path), hint="train it again; it still predicts as ever")
    try:
        return TextsSummary.from_bytes(opened.read(SUMMARY))
    except ValueError as error:
        what = f"not a summary of texts as this rnn writes it ({error})"
        raise BundleError(what, where=str(opened.path / SUMMARY)) from None
