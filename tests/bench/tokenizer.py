"""How fast the word tokenizer fits and encodes 25,000 IMDB reviews, against Keras's on the same texts.

    python tests/bench/tokenizer.py [ROUNDS]

Both run in turn, whole texts without truncation, and must give the same ids.
"""

import gc
import sys
from collections.abc import Callable

from measuring import in_turn, seconds, show

from rnn_cli.data.source import load_rows
from rnn_cli.text.tokenizer import Tokenizer
from rnn_cli.training import quiet  # noqa: F401  (before all that loads TensorFlow)

VOCAB_SIZE = 10_000


def ours(texts: list[str]) -> list[list[int]]:
    tokenizer = Tokenizer.fit(texts, vocab_size=VOCAB_SIZE, max_length=sys.maxsize)
    return tokenizer.encode_all(texts)


def keras(texts: list[str]) -> list[list[int]]:
    import tensorflow as tf

    tokenizer = tf.keras.preprocessing.text.Tokenizer(num_words=VOCAB_SIZE, oov_token="<OOV>")
    tokenizer.fit_on_texts(texts)
    return [ids or [1] for ids in tokenizer.texts_to_sequences(texts)]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    texts = list(load_rows("imdb").texts)
    assert ours(texts) == keras(texts), "the ids differ"
    print(f"{len(texts):,} texts, the same ids")

    def taken(work: Callable[[list[str]], list[list[int]]]) -> float:
        gc.collect()
        return seconds(lambda: work(texts))

    show("fit and encode", *in_turn(lambda: taken(ours), lambda: taken(keras), rounds), "s")


if __name__ == "__main__":
    main()
