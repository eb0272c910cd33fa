"""Training: an epoch of `rnn train` against the usual Keras script, and against PyTorch, in turn on the same rows.

    python tests/bench/training.py speed [ROUNDS] [--torch PYTHON]
    python tests/bench/training.py reach
    python tests/bench/training.py rows

`speed` prints examples a second, without validation and checkpoints, and peak memory, for film reviews cut at 400 and
200 words and for single sentences cut at 100. All train the classic network (vocabulary 10,000, vectors of 64, two
bidirectional LSTMs of 64, Dense 32 and 16) in batches of 64 with Adam. The script is what tutorials show: texts padded
to the cut, no mask, `model.fit`. PyTorch (its `nn.LSTM`, on padded and on packed batches) runs if PYTHON has it.
`reach` trains the script for three epochs on film reviews and tells how long each takes to the script's best
validation accuracy, ours with the recipe `default`. `rows` tells the seconds of an epoch over 1,000, 5,000 and 25,000
reviews.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from measuring import Worker, show

from rnn_cli.bundle.history import EpochMetrics
from rnn_cli.config.load import load_config, parse_override
from rnn_cli.config.schema import Config
from rnn_cli.text.padding import pad
from rnn_cli.training.encoding import Encoded
from rnn_cli.training.prepare import Prepared, prepare

WORK = {
    "imdb 400": ("imdb", 400, 2_560),
    "imdb 200": ("imdb", 200, 2_560),
    "rotten_tomatoes 100": ("rotten_tomatoes", 100, 6_400),
}
"""What is trained on → the set, its texts' cut in words, the rows of an epoch."""


class Quiet:
    """A listener that keeps the epochs' figures and the seconds they ended at."""

    def __init__(self) -> None:
        self.epochs: list[tuple[float, EpochMetrics]] = []
        self.started = time.perf_counter()

    def note(self, text: str) -> None:
        pass

    warn = note

    def doing(self, what: str) -> None:
        pass

    def progress(self, what: str, done: int, total: int) -> None:
        pass

    def epoch_starts(self, *_: int) -> None:
        pass

    def step_done(self, *_: float) -> None:
        pass

    def epoch_done(self, metrics: EpochMetrics, *, best: bool) -> None:
        self.epochs.append((time.perf_counter() - self.started, metrics))


def classic(source: str, max_length: int) -> Config:
    """The classic network, as the script has it too."""
    sections = {"data": {"source": source}, "tokenizer": {"max_length": max_length}}
    training = {"batch_size": 64, "epochs": 1, "early_stopping": None, "baseline": False}
    return Config.model_validate(sections | {"training": training})


def prepared(source: str, max_length: int) -> Prepared:
    return prepare(classic(source, max_length), Quiet())


def some(rows: Encoded, count: int, seed: int = 1) -> Encoded:
    """So many of the rows, by chance."""
    chosen = np.random.default_rng(seed).permutation(len(rows.classes))[:count]
    return Encoded([rows.sequences[row] for row in chosen], rows.classes[chosen], rows.weights[chosen])


def padded(rows: Encoded, length: int) -> np.ndarray:
    """All texts padded to one length, as the script has them."""
    return pad([*rows.sequences, [0] * length])[:-1]


def speed(rounds: int, torch: str | None) -> None:
    for name, (source, max_length, count) in WORK.items():
        run = prepared(source, max_length)
        rows = some(run.train, count)
        lengths = rows.lengths()
        print(f"\n{name}: {count:,} rows of {lengths.mean():.0f} words on average, at most {max_length}")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rows.npz"
            np.savez(file, ids=padded(rows, max_length), lengths=lengths, classes=rows.classes)
            us = [sys.executable, __file__]
            peers = {"Keras script": [*us, "be-keras", name]}
            if torch:
                program = str(Path(__file__).parent / "peer_torch.py")
                peers |= {f"PyTorch, {kind}": [torch, program, str(file), kind] for kind in ("padded", "packed")}
            with Worker([*us, "be-ours", name]) as ours:
                for peer, command in peers.items():
                    with Worker(command) as theirs:
                        both = [(ours.seconds(), theirs.seconds()) for _ in range(rounds)]
                        rates = [[count / each for each in times] for times in zip(*both, strict=True)]
                        show(peer, *rates, "rows/s", more_is_better=True)
                        show("", [ours.peak_megabytes()], [theirs.peak_megabytes()], "MB    ")


def be_ours(name: str) -> None:
    source, max_length, count = WORK[name]
    run = prepared(source, max_length)
    train = our_training(run)
    rows = some(run.train, count)
    train(some(rows, 256))
    answer_with(lambda: train(rows))


def our_training(run: Prepared):  # type: ignore[no-untyped-def]
    """A function that trains one epoch over rows, as `rnn train` does, without the validation."""
    from rnn_cli.training import quiet  # noqa: F401
    from rnn_cli.training.encoding import epoch_batches
    from rnn_cli.training.run import begin_learning

    learner, _ = begin_learning(run, Quiet())
    epochs = iter(range(1, 1_000_000))

    def train(rows: Encoded) -> None:
        size = run.config.training.batch_size
        for batch in epoch_batches(rows.lengths(), size, seed=1, epoch=next(epochs)):
            learner.learn(rows.ids(batch), rows.classes[batch], rows.weights[batch])

    return train


def be_keras(name: str) -> None:
    source, max_length, count = WORK[name]
    run = prepared(source, max_length)
    ids = padded(run.train, max_length)
    chosen = np.random.default_rng(1).permutation(len(ids))[:count]
    model, epoch, classes = script(), ids[chosen], run.train.classes[chosen]
    model.fit(epoch[:256], classes[:256], batch_size=64, verbose=0)
    answer_with(lambda: model.fit(epoch, classes, batch_size=64, verbose=0))


def script():  # type: ignore[no-untyped-def]
    """The network as tutorials write it."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            layers.Embedding(10_000, 64),
            layers.Bidirectional(layers.LSTM(64, return_sequences=True)),
            layers.Bidirectional(layers.LSTM(64)),
            layers.Dense(32, "relu"),
            layers.Dense(16, "relu"),
            layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def answer_with(work) -> None:  # type: ignore[no-untyped-def]
    """Say so when ready, then the seconds of the work, each time a line is read."""
    print("ready", flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        work()
        print(time.perf_counter() - started, flush=True)


def reach() -> None:
    with Worker([sys.executable, __file__, "be-script"]) as peer:
        theirs = json.loads(peer.ask())
    best = max(accuracy for _, accuracy in theirs)
    first = next(seconds for seconds, accuracy in theirs if accuracy == best)
    for epoch, (seconds, accuracy) in enumerate(theirs, start=1):
        print(f"Keras script  epoch {epoch}  {seconds:6.1f} s  validation accuracy {accuracy:.1%}")
    with Worker([sys.executable, __file__, "be-default"]) as worker:
        ours = json.loads(worker.ask())
    for epoch, (seconds, accuracy) in enumerate(ours, start=1):
        print(f"ours          epoch {epoch}  {seconds:6.1f} s  validation accuracy {accuracy:.1%}")
    reached = [seconds for seconds, accuracy in ours if accuracy >= best]
    told = f"{reached[0]:.1f} s, {reached[0] / first:.2f} of the script's {first:.1f} s" if reached else "never"
    print(f"to the script's best validation accuracy: {told}")


def be_script() -> None:
    print("ready", flush=True)
    sys.stdin.readline()
    run = prepared("imdb", 200)
    model, ends = script(), []
    train, validation = padded(run.train, 200), padded(run.validation, 200)
    started = time.perf_counter()
    for _ in range(3):
        told = model.fit(
            train, run.train.classes, validation_data=(validation, run.validation.classes), batch_size=64, verbose=0
        )
        ends.append((time.perf_counter() - started, told.history["val_accuracy"][0]))
    print(json.dumps(ends), flush=True)


def be_default() -> None:
    print("ready", flush=True)
    sys.stdin.readline()
    run = prepare(load_config("default", [*map(parse_override, ["training.baseline=false"])]), Quiet())
    from rnn_cli.training import quiet  # noqa: F401
    from rnn_cli.training.loop import fit
    from rnn_cli.training.run import begin_learning

    heard = Quiet()
    learner, state = begin_learning(run, heard)
    fit(learner, run.config.training, run.train, run.validation, heard, state=state)
    print(json.dumps([(seconds, metrics.val_accuracy) for seconds, metrics in heard.epochs]), flush=True)


def rows() -> None:
    run = prepared("imdb", 200)
    whole = Encoded(
        [*run.train.sequences, *run.validation.sequences, *run.train.sequences],
        np.concatenate([run.train.classes, run.validation.classes, run.train.classes]),
        np.concatenate([run.train.weights, run.validation.weights, run.train.weights]),
    )
    train = our_training(run)
    train(some(whole, 256))
    for count in (1_000, 5_000, 25_000):
        some_rows = some(whole, count)
        started = time.perf_counter()
        train(some_rows)
        seconds = time.perf_counter() - started
        a_row, a_token = seconds / count * 1e3, seconds / some_rows.lengths().sum() * 1e6
        print(f"{count:6,} rows {seconds:7.2f} s {a_row:6.2f} ms a row {a_token:6.2f} us a token")


PARTS = {
    "reach": reach,
    "rows": rows,
    "be-ours": be_ours,
    "be-keras": be_keras,
    "be-script": be_script,
    "be-default": be_default,
}

if __name__ == "__main__":
    what, *words = sys.argv[1:]
    if what == "speed":
        torch = words.pop(words.index("--torch") + 1) if "--torch" in words else None
        counts = [word for word in words if word != "--torch"]
        speed(int(counts[0]) if counts else 5, torch)
    else:
        PARTS[what](*words)
