"""Whether explanations are true: what becomes of an answer when the words they name first are taken away.

    python tests/bench/explanations.py [MODEL] [TEXTS]

MODEL is a trained bundle (if not given, runs/latest, else one is trained) of word level; TEXTS of its own test rows
(500) are drawn at random. Each way of weighing words names those that speak most for the answer: 5 a text, and a
tenth of its words. These are taken from what the network reads, and, in turn, as many words drawn at random, ten
times (the deletion test, as in Samek et al. 2017, Evaluating the visualization of what a deep neural network has
learned). Shown is by how much more the answered label's log-odds fall for the named words: the mean over the texts,
its 95% interval, and the share of the draws that it beats. A way that takes words away as it is tested has an edge,
so both tests are shown: the words' ids are deleted, and the unknown token stands in their place.
"""

import csv
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
from measuring import trained

from rnn_cli.bundle.model_folder import PREDICTIONS
from rnn_cli.scoring.explain import explain_texts, log_odds
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.tokenizer_json import UNKNOWN

DRAWS = 10

Take = Callable[[list[int], Collection[int]], list[int]]
"""The ids without those at some places."""


def deleted(ids: list[int], places: Collection[int]) -> list[int]:
    return [each for place, each in enumerate(ids) if place not in places] or [UNKNOWN]


def unknown(ids: list[int], places: Collection[int]) -> list[int]:
    return [UNKNOWN if place in places else each for place, each in enumerate(ids)]


def main(model: Path, count: int) -> None:
    predictor = Predictor.open(model)
    texts = test_texts(model, count)
    predicted = predictor.decision.choose(predictor.score(texts).probabilities).tolist()
    encoded = predictor.tokenizer.encode_all(texts)
    ways = weights(predictor, texts, encoded, predicted)
    print(f"{model.resolve()}: {len(texts):,} test rows, {np.mean(list(map(len, encoded))):.0f} words read of each")
    print(f"{'':31}{'ids deleted':^31}   {'unknown token instead':^31}")
    print(f"{'words named by':<22}{'how many':<9}" + "   ".join([f"{'mean (95% interval)':<24}{'beats':>7}"] * 2))
    for name, weight in ways.items():
        for size, of in {"5": lambda words: min(5, words), "a tenth": lambda words: -(-words // 10)}.items():
            cells = [compared(predictor, encoded, predicted, weight, take, of) for take in (deleted, unknown)]
            print(f"{name:<22}{size:<9}" + "   ".join(cells))


def test_texts(model: Path, count: int) -> list[str]:
    with (model / PREDICTIONS).open(encoding="utf-8", newline="") as stream:
        texts = [row["text"] for row in csv.DictReader(stream) if row["split"] == "test"]
    chosen = np.random.default_rng(1).permutation(len(texts))[:count]
    return [texts[place] for place in chosen]


def weights(
    predictor: Predictor, texts: list[str], encoded: list[list[int]], predicted: list[int]
) -> dict[str, list[np.ndarray]]:
    """Of each way, each text's weights, a word each."""

    def fall(ids: list[int], answer: int, take: Take) -> np.ndarray:
        without = (take(ids, {place}) for place in range(len(ids)))
        return log_odds(predictor, [ids], answer) - log_odds(predictor, without, answer)

    pairs = list(zip(encoded, predicted, strict=True))
    ours = [np.array([part.weight for part in parts]) for parts in explain_texts(predictor, texts, predicted)]
    replaced = [fall(ids, answer, unknown) for ids, answer in pairs]
    return {
        "rnn (deleting)": ours,
        "unknown token": replaced,
        "both, their mean": [(one + other) / 2 for one, other in zip(ours, replaced, strict=True)],
        "each word by itself": [log_odds(predictor, ([each] for each in ids), answer) for ids, answer in pairs],
    }


def compared(
    predictor: Predictor,
    encoded: list[list[int]],
    predicted: list[int],
    weights: list[np.ndarray],
    take: Take,
    of: Callable[[int], int],
) -> str:
    """How much more the log-odds fall than for random words: mean, interval, share of draws that are beaten."""
    chance = np.random.default_rng(2)
    more = []
    for ids, answer, weight in zip(encoded, predicted, weights, strict=True):
        size = of(len(ids))
        named = set(np.argsort(-weight, kind="stable")[:size].tolist())
        drawn = [set(chance.permutation(len(ids))[:size].tolist()) for _ in range(DRAWS)]
        odds = log_odds(predictor, (take(ids, places) for places in (named, *drawn)), answer)
        more.append(odds[1:] - odds[0])
    by_text = np.mean(more, axis=1)
    mean, half = by_text.mean(), 1.96 * by_text.std(ddof=1) / len(by_text) ** 0.5
    interval = f"{mean:.2f} ({mean - half:.2f} to {mean + half:.2f})"
    return f"{interval:<24}{np.mean(np.array(more) > 0):>7.1%}"


if __name__ == "__main__":
    named, texts = (*sys.argv[1:], None, None)[:2]
    main(Path(trained(named)), int(texts or 500))
