"""How fast the word tokenizer fits and encodes 25,000 IMDB reviews, against Keras's on the same texts.

    python tests/bench/tokenizer.py [ROUNDS]

Both run in turn, whole texts without truncation, and must give the same ids.
"""

import gc
import os
import statistics
import sys
import time
from collections.abc import Callable

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

from rnn_cli.data.source import load
from rnn_cli.text.tokenizer import Tokenizer

VOCAB_SIZE = 10_000


def ours(texts: list[str]) -> list[list[int]]:
    tokenizer = Tokenizer.fit(texts, vocab_size=VOCAB_SIZE, max_length=sys.maxsize)
    return tokenizer.encode_all(texts)


def keras(texts: list[str]) -> list[list[int]]:
    import tensorflow as tf

    tokenizer = tf.keras.preprocessing.text.Tokenizer(num_words=VOCAB_SIZE, oov_token="<OOV>")
    tokenizer.fit_on_texts(texts)
    return [ids or [1] for ids in tokenizer.texts_to_sequences(texts)]


def seconds(work: Callable[[list[str]], list[list[int]]], texts: list[str]) -> float:
    gc.collect()
    start = time.perf_counter()
    work(texts)
    return time.perf_counter() - start


def import_tensorflow_quietly() -> None:
    # Some of its messages go to file descriptor 2 before any log level is read.
    terminal = os.dup(2)
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    texts = list(load("imdb").texts)
    import_tensorflow_quietly()
    assert ours(texts) == keras(texts), "the ids differ"
    taken: dict[str, list[float]] = {"ours": [], "keras": []}
    for _ in range(rounds):
        taken["keras"].append(seconds(keras, texts))
        taken["ours"].append(seconds(ours, texts))
    for name, times in taken.items():
        print(f"{name:6} {statistics.median(times):.2f} s (median), {min(times):.2f}–{max(times):.2f} s")
    ratio = statistics.median(taken["keras"]) / statistics.median(taken["ours"])
    print(f"{len(texts):,} texts, {rounds} rounds, the same ids; ours is {ratio:.1f} times as fast")


if __name__ == "__main__":
    main()
