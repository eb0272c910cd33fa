"""Whole sets of texts: a bundle's Predictor against Keras's `model.predict` on padded input.

    python tests/bench/scoring.py [MODEL] [ROUNDS]

MODEL is a trained bundle (runs/latest if not given); its own test rows are scored, in turn. Keras is measured twice:
the bundle's own file, and the same network as it is usually written, without a mask, padded to max_length; each at
the faster of two batch sizes. Keras is given ids that are padded already, ours starts from the texts.
"""

import sys
from functools import partial
from pathlib import Path

import keras  # noqa: I001
from keras import layers
from measuring import in_turn, seconds, show

from rnn_cli.bundle import Bundle
from rnn_cli.evaluation.evaluate import kept_test_rows
from rnn_cli.loading import parse_config
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.padding import pad
from rnn_cli.training import quiet  # noqa: F401  (before all that loads TensorFlow)


def unmasked(bundle: Bundle, vocab_size: int) -> keras.Model:
    """The network of the bundle's config without mask or dropout, its weights by chance."""
    config = parse_config(bundle.read("config.yaml").decode(), "config.yaml").model
    model = keras.Sequential([layers.Embedding(vocab_size, config.embedding_dim)])
    cell = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}[config.cell]
    for depth, units in enumerate(config.units, start=1):
        whole = depth < len(config.units) or config.pooling != "last"
        layer = cell(units, return_sequences=whole)
        model.add(layers.Bidirectional(layer) if config.bidirectional else layer)
    if config.pooling != "last":
        model.add(layers.GlobalMaxPooling1D())
    for units in config.dense_units:
        model.add(layers.Dense(units, "relu"))
    model.add(layers.Dense(1 if bundle.manifest.task == "binary" else len(bundle.manifest.labels), "sigmoid"))
    return model


def main() -> None:
    bundle = Bundle.open(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/latest"))
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    predictor = Predictor(bundle)
    texts = kept_test_rows(bundle).texts
    ids = pad(predictor.tokenizer.encode_all(texts))
    print(f"{len(texts):,} texts, {ids.shape[1]} ids at most, {(ids > 0).sum(axis=1).mean():.0f} on average")

    own = keras.saving.load_model(bundle.path / "model.keras")
    answers = predictor.score(texts).probabilities
    keras_answers = own.predict(ids, batch_size=64, verbose=0)
    difference = abs(answers[:, -keras_answers.shape[1] :] - keras_answers).max()
    print(f"largest difference between the two: {difference:.1e}")

    for name, model in (
        ("Keras, the bundle's own file", own),
        ("Keras, without a mask", unmasked(bundle, predictor.tokenizer.vocab_size)),
    ):

        def predict(model: keras.Model = model) -> float:
            small, large = (partial(model.predict, ids, batch_size=size, verbose=0) for size in (32, 256))
            return min(seconds(small), seconds(large))

        ours, peer = in_turn(lambda: seconds(lambda: predictor.predict(texts)), predict, rounds)
        rates = [[len(texts) / each for each in times] for times in (ours, peer)]
        show(name, *rates, "rows/s", more_is_better=True)


if __name__ == "__main__":
    main()
