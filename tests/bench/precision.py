"""Whole sets of texts in 8 bits against 32: how much faster, and what it costs.

    python tests/bench/precision.py [MODEL] [ROUNDS]

MODEL is a trained bundle with an int8 graph (if not given, runs/latest, else one is trained). Its own test rows are
scored in turn, in one process: from the text to the answer on all cores, and the network alone on one. Then each text
is scored alone, which shows how far an answer depends on its neighbours.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from measuring import in_turn, seconds, show, trained

from rnn_cli.bundle.model_folder import INT8_MODEL, ONNX_MODEL, Bundle
from rnn_cli.evaluation.evaluate import evaluate_predictor, kept_test_rows
from rnn_cli.scoring.predictor import Predictor


def main(model: str, rounds: int) -> None:
    bundle = Bundle.open(Path(model))
    rows = kept_test_rows(bundle)
    int8, fp32 = (Predictor(bundle, precision=precision) for precision in ("int8", "fp32"))
    sequences = int8.tokenizer.encode_all(rows.texts)

    def race(what: str, work: Callable[[Predictor], object]) -> None:
        times = in_turn(lambda: seconds(lambda: work(int8)), lambda: seconds(lambda: work(fp32)), rounds)
        ours, peer = ([len(rows) / each for each in side] for side in times)
        show(what, ours, peer, "rows/s", more_is_better=True)

    print(f"{len(rows):,} texts; the peer is fp32")
    race(f"text to answer, {int8.threads} threads", lambda predictor: predictor.predict(rows.texts))
    int8.threads = fp32.threads = 1
    race("the network alone, 1 thread", lambda predictor: predictor.logits(sequences))

    small, plain = evaluate_predictor(int8, rows), evaluate_predictor(fp32, rows)
    print(f"accuracy {small.metrics.accuracy:.2%}, fp32 {plain.metrics.accuracy:.2%}")
    tell("8 bits move probabilities", small.scores.probabilities, plain.scores.probabilities)
    alone = np.vstack([int8.score([text]).probabilities for text in rows.texts])
    tell("neighbours move them", small.scores.probabilities, alone)
    sizes = [bundle.manifest.files[name]["size"] / 1e6 for name in (INT8_MODEL, ONNX_MODEL)]
    print("graph {:.1f} MB, fp32 {:.1f} MB".format(*sizes))


def tell(what: str, ours: np.ndarray, peer: np.ndarray) -> None:
    moved = abs(ours - peer).max(axis=1)
    print(f"{what} by {moved.mean():.5f} on average, {moved.max():.4f} at most")


if __name__ == "__main__":
    named, rounds = (*sys.argv[1:], None, None)[:2]
    main(trained(named), int(rounds or 7))
