"""fastText's classifier for accuracy.py, which starts it: a folder of rows, a seed and a number of threads.

The folder holds `train.txt` and `validation.txt`, lines of `__label__2 and the text`, and `test.txt`, lines of texts
alone. Epochs and learning rate are those of the best validation accuracy, of equal ones the least log loss; all else
is fastText's own default but for word pairs. Leaves `answers.npz`, probabilities `[rows, labels]` of both sides, and
prints the choice. A text is asked for alone: fasttext-wheel 0.9.2 mixes up the probabilities of several.
"""

import json
import sys
import time
from itertools import product
from pathlib import Path

import fasttext
import numpy as np

EPOCHS, RATES = (5, 10, 25, 50), (0.1, 0.5)


def main(folder: Path, seed: int, threads: int) -> None:
    lines = (folder / "validation.txt").read_text(encoding="utf-8").splitlines()
    marks, texts = zip(*(line.split(" ", 1) for line in lines), strict=True)
    truth = np.array([int(mark.removeprefix("__label__")) for mark in marks])
    test = (folder / "test.txt").read_text(encoding="utf-8").splitlines()
    best = None
    for epoch, rate in product(EPOCHS, RATES):
        started = time.perf_counter()
        model = fasttext.train_supervised(
            str(folder / "train.txt"), wordNgrams=2, epoch=epoch, lr=rate, seed=seed, thread=threads, verbose=0
        )
        seconds = time.perf_counter() - started
        probabilities = answered(model, texts)
        loss = -np.log(np.maximum(probabilities[np.arange(len(truth)), truth], 1e-9)).mean()
        merit = ((probabilities.argmax(axis=1) == truth).mean(), -loss)
        if best is None or merit > best:
            best, choice = merit, {"epoch": epoch, "lr": rate, "seconds": seconds}
            predicted = {"validation": probabilities, "test": answered(model, test)}
        del model  # before the next one: each takes 800 MB for word pairs
    np.savez(folder / "answers.npz", **predicted)
    print(json.dumps(choice))


def answered(model, texts) -> np.ndarray:  # type: ignore[no-untyped-def]
    labels = len(model.labels)
    probabilities = np.zeros((len(texts), labels))
    for row, text in enumerate(texts):
        # Under NumPy 2 `model.predict` fails for a single text; this is what it calls.
        for probability, label in model.f.predict(text + "\n", labels, 0.0, "strict"):
            probabilities[row, int(label.removeprefix("__label__"))] = probability
    return probabilities / probabilities.sum(axis=1, keepdims=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
