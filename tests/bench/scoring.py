"""Whole sets of texts: a bundle's Predictor against Keras's `model.predict` on padded input.

    python tests/bench/scoring.py [MODEL] [ROUNDS]

MODEL is a trained bundle (runs/latest if not given); its own test rows are scored, in turn, each in a process of its
own. Keras is measured twice: the bundle's own file, and the same network as it is usually written, without a mask;
each at the faster of two batch sizes. Keras is given padded ids, ours starts from the texts.
"""

import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
from measuring import Worker, in_turn, seconds, show

from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.config.load import parse_config
from rnn_cli.config.schema import ModelConfig
from rnn_cli.evaluation.evaluate import kept_test_rows
from rnn_cli.scoring.calibration import Calibration
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.padding import pad


def main(model: str, rounds: int) -> None:
    bundle = Bundle.open(Path(model))
    predictor = Predictor(bundle)
    texts = kept_test_rows(bundle).texts
    for name in ("the bundle's own file", "without a mask"):
        with Peer(model, name) as peer:
            if name == "the bundle's own file":
                # Keras knows no calibration, so ours is left out of what is compared.
                plain = (
                    predictor.adjusted(calibration=Calibration())
                    .score(texts)
                    .probabilities[:, -peer.predicted.shape[1] :]
                )
                print(f"{len(texts):,} texts; largest difference of answers {abs(plain - peer.predicted).max():.1e}")
            ours, keras = in_turn(lambda: seconds(lambda: predictor.predict(texts)), peer.seconds, rounds)
            rates = [[len(texts) / each for each in times] for times in (ours, keras)]
            show(f"Keras, {name}", *rates, "rows/s", more_is_better=True)


class Peer(Worker):
    """Keras in a process that sleeps until it is asked for the seconds of one `model.predict` over all texts."""

    def __init__(self, model: str, name: str) -> None:
        super().__init__([sys.executable, __file__, model, "--peer", name])
        self.predicted = np.array(json.loads(self.ask()))


def be_the_peer(model: str, name: str) -> None:
    import keras

    bundle = Bundle.open(Path(model))
    predictor = Predictor(bundle)
    ids = pad(predictor.tokenizer.encode_all(kept_test_rows(bundle).texts))
    if name == "without a mask":
        config = parse_config(bundle.read("config.yaml").decode(), "config.yaml").model
        network = unmasked(config, predictor.tokenizer.vocab_size, len(predictor.labels))
    else:
        network = keras.saving.load_model(bundle.path / "model.keras")
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(network.predict(ids, batch_size=64, verbose=0).tolist()), flush=True)
    small, large = (partial(network.predict, ids, batch_size=size, verbose=0) for size in (32, 256))
    for _ in sys.stdin:
        print(min(seconds(small), seconds(large)), flush=True)


def unmasked(config: ModelConfig, vocab_size: int, labels: int):  # type: ignore[no-untyped-def]
    """The network of a config without mask or dropout, its weights by chance."""
    from keras import Sequential, layers

    model = Sequential([layers.Embedding(vocab_size, config.embedding_dim)])
    cell = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}[config.cell]
    for depth, units in enumerate(config.units, start=1):
        layer = cell(units, return_sequences=depth < len(config.units) or config.pooling != "last")
        model.add(layers.Bidirectional(layer) if config.bidirectional else layer)
    if config.pooling != "last":
        model.add(layers.GlobalMaxPooling1D())
    for units in config.dense_units:
        model.add(layers.Dense(units, "relu"))
    model.add(layers.Dense(1, "sigmoid") if labels == 2 else layers.Dense(labels, "softmax"))
    return model


if __name__ == "__main__":
    if "--peer" in sys.argv:
        be_the_peer(sys.argv[1], sys.argv[3])
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else "runs/latest", int(sys.argv[2]) if len(sys.argv) > 2 else 7)
