"""Whole files: `rnn score` as a whole command, against Keras, scikit-learn and fastText on the same rows.

    python tests/bench/files.py [MODEL] [--rows N] [--rounds 5] [--fasttext PYTHON]

MODEL is a trained bundle (if not given, runs/latest, else one is trained) of a built-in set, whose texts are written
to a CSV file, over and over until there are N rows (25,000). Ours is the whole process, from its start to the last
byte of its CSV file. The peers are loaded beforehand and timed without that: Keras's `model.predict` of the bundle's
own file alone, on ids padded to the model's `max_length` as scripts do it, in the best of several sizes of batches
and in those of 32 that it makes by itself; the script around it (read the CSV, tokenize, pad, predict in the best
batches, write); scikit-learn's TF-IDF and logistic regression, and fastText with word pairs, both from file to file.
fastText runs if PYTHON has it (`pip install fasttext-wheel`).

After that ours on one core against ours on two, and, where the bundle has an int8 graph, int8 against fp32. Targets: 3
times the rows/s of `model.predict` (in the batches that are best, too) on imdb at max_length 400, 8 times on
rotten_tomatoes at 100; 1.7 times by one more core; twice with int8 (a goal).
"""

import argparse
import csv
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from measuring import Worker, in_turn, process, seconds, show, trained

RNN = [sys.executable, "-c", "from rnn_cli.cli.main import main; main()"]


def main(model: str, rows: int, rounds: int, fasttext: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file, predicted = Path(folder, "rows.csv"), Path(folder, "answers.csv")
        write_rows(model, file, rows)
        print(f"{rows:,} rows of {source_of(model)}, {file.stat().st_size / 1e6:.0f} MB; {os.cpu_count()} cores")
        ours = partial(whole_command, model, file, predicted)
        peers = [("keras", sys.executable), ("sklearn", sys.executable)]
        for name, python in peers + ([("fasttext", fasttext)] if fasttext else []):
            with Worker([python, __file__, model, "--peer", name, str(file)]) as peer:
                for what in peer.ask().split("|"):
                    compare(what, ours, peer.seconds, rows, rounds)
        compare("ours on one core", ours, partial(ours, "--threads", "1", cores=1), rows, rounds)
        if (Path(model) / "model.int8.onnx").exists():
            compare("int8, and its peer fp32", partial(ours, "--precision", "int8"), ours, rows, rounds)


def compare(what: str, ours: Callable[[], float], peer: Callable[[], float], rows: int, rounds: int) -> None:
    rates = [[rows / each for each in times] for times in in_turn(ours, peer, rounds)]
    show(what, *rates, "rows/s", more_is_better=True)


def whole_command(model: str, file: Path, predicted: Path, *options: str, cores: int | None = None) -> float:
    command = [*RNN, "score", "--model", model, str(file), "--output", str(predicted), "--force", *options]
    return process([*(["taskset", "-c", "0"] if cores == 1 else []), *command])[0]


def source_of(model: str) -> str:
    from rnn_cli.bundle.model_folder import CONFIG, Bundle
    from rnn_cli.config.load import parse_config

    bundle = Bundle.open(Path(model))
    return parse_config(bundle.read(CONFIG).decode(), CONFIG).data.source


def write_rows(model: str, file: Path, rows: int) -> None:
    from rnn_cli.data.builtin import load_builtin

    texts = load_builtin(source_of(model)).texts
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("id", "text"), *enumerate(islice(cycle(texts), rows))])


def serve(works: dict[str, Callable[[], float]]) -> None:
    """Answer with the works' names, then with the seconds of each in turn, as often as it is asked for."""
    print("ready", flush=True)
    sys.stdin.readline()
    print("|".join(works), flush=True)
    calls = {name: 0 for name in works}
    rounds = int(os.environ["ROUNDS"]) + 1
    for _ in sys.stdin:
        name = next(name for name in works if calls[name] < rounds)
        calls[name] += 1
        print(works[name](), flush=True)


def keras_peer(model: str, file: str) -> None:
    import json

    import keras
    import numpy as np
    import pandas as pd

    network = keras.saving.load_model(Path(model, "model.keras"))
    stored = json.loads(Path(model, "tokenizer.json").read_text(encoding="utf-8"))
    ids = {word: place for place, word in enumerate(stored["vocabulary"])}
    longest = stored["max_length"]
    spaces = str.maketrans(dict.fromkeys(stored["filters"], " "))

    def encoded(texts: list[str]) -> list[list[int]]:
        return [[ids.get(word, 1) for word in text.lower().translate(spaces).split()][:longest] for text in texts]

    def padded(texts: list[str]) -> np.ndarray:  # type: ignore[type-arg]
        return keras.utils.pad_sequences(encoded(texts), longest, padding="post", truncating="post")

    ids_of_all = padded(pd.read_csv(file)["text"].tolist())
    some = ids_of_all[:2048]
    # The first of three compiles.
    batch = min((32, 64, 128, 256, 512), key=lambda size: min(predicting(network, some, size) for _ in range(3)))

    def script() -> float:
        def work() -> None:
            table = pd.read_csv(file)
            found = network.predict(padded(table["text"].tolist()), batch_size=batch, verbose=0)
            table.assign(probability=found[:, -1]).to_csv(os.devnull, index=False)

        return seconds(work)

    serve(
        {
            f"model.predict in batches of {batch}": lambda: predicting(network, ids_of_all, batch),
            "model.predict in batches of 32, its own": lambda: predicting(network, ids_of_all, 32),
            "the script around it": script,
        }
    )


def predicting(network, ids, batch: int) -> float:  # type: ignore[no-untyped-def]
    return seconds(lambda: network.predict(ids, batch_size=batch, verbose=0))


def sklearn_peer(model: str, file: str) -> None:
    import pandas as pd
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from rnn_cli.data.builtin import load_builtin

    labelled = load_builtin(source_of(model))
    pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=30))
    pipeline.fit(labelled.texts[:5000] + labelled.texts[-5000:], labelled.labels[:5000] + labelled.labels[-5000:])

    def work() -> None:
        table = pd.read_csv(file)
        table.assign(probability=pipeline.predict_proba(table["text"])[:, 1]).to_csv(os.devnull, index=False)

    serve({"scikit-learn, file to file": lambda: seconds(work)})


def fasttext_peer(file: str) -> None:
    import fasttext

    with open(file, encoding="utf-8", newline="") as stream:
        texts = [" ".join(text.split()) for _, text in csv.reader(stream)][1:]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as train:
        # Its speed does not depend on what it has learned.
        train.writelines(f"__label__{row % 2} {text}\n" for row, text in enumerate(texts))
        train.flush()
        model = fasttext.train_supervised(train.name, wordNgrams=2, epoch=1, thread=os.cpu_count(), verbose=0)

    def work() -> None:
        with open(file, encoding="utf-8", newline="") as stream, open(os.devnull, "w", newline="") as out:
            writer = csv.writer(out)
            for number, text in csv.reader(stream):
                writer.writerow([number, text, *model.f.predict(" ".join(text.split()) + "\n", 1, 0.0, "strict")])

    serve({"fastText, file to file": lambda: seconds(work)})


if __name__ == "__main__":
    if "--peer" in sys.argv:
        _, named, _, peer, rows_file = sys.argv
        {"keras": keras_peer, "sklearn": sklearn_peer}.get(peer, lambda _, file: fasttext_peer(file))(named, rows_file)
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("model", nargs="?")
        parser.add_argument("--rows", type=int, default=25_000)
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--fasttext", metavar="PYTHON")
        given = parser.parse_args()
        os.environ["ROUNDS"] = str(given.rounds)
        main(trained(given.model), given.rows, given.rounds, given.fasttext)
