"""Predicts the label of a text and its probability with the model in this file's folder.

    python predict.py "a text" "another one"      or, without any, each line of the standard input

prints label, tab, probability for each text, and of ordered labels a tab and the expected value; of a model of numbers
the number. In Python: `from predict import predict`. A model that reads other columns beside the text takes their
values, for all texts of a call, as --column NAME=VALUE before them; those left out count as missing. Needs Python 3.11
or newer, numpy and onnxruntime (pip install numpy onnxruntime), and the rest of the folder.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnn_cli.scoring.predictor import Predictor


HERE = Path(__file__).resolve().parent


@cache
def load_model() -> "Predictor":
    """The model, ready to score; raises `BundleError` if one of its files is damaged."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read when onnxruntime loads
    sys.path.insert(0, str(HERE))  # missing if Python runs isolated (-I)
    try:
        from rnn_cli.scoring.predictor import Predictor
    finally:
        sys.path.remove(str(HERE))
    return Predictor.open(HERE)


def predict(texts: Sequence[str] | str, columns: Any = None) -> list[dict[str, Any]]:
    """A dict for each text: `label`, `probability`, `probabilities` of all labels, `unsure`, `no_known_words`.

    Of a model of numbers it has `number` and `no_known_words`. `columns` are the values of other columns that the model
    reads: a dict of lists, or a DataFrame.
    """
    model = load_model()
    found = model.predict(texts, columns=columns)  # a str is one text
    if model.number:
        return [{name: getattr(each, name) for name in ("number", "no_known_words")} for each in found]
    return [
        asdict(each) | {"probabilities": dict(zip(model.labels, each.probabilities, strict=True))} for each in found
    ]


def main(words: list[str]) -> None:
    """Print a line for each of the words, or without any for each line of the standard input."""
    if words in (["-h"], ["--help"]):
        print(__doc__)
        return
    model, unknown = load_model(), 0
    from rnn_cli.scoring.decision import UNSURE
    from rnn_cli.scoring.extra import columns_in_words, given_columns
    from rnn_cli.scoring.prediction import NumberPrediction, OrderedPrediction
    from rnn_cli.scoring.unknown import UnknownTokens, warning_of
    from rnn_cli.text.lines import read_windows
    from rnn_cli.text.plain import one_line

    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    tokens = UnknownTokens()
    words, values, absent = columns_in_words(words, model.columns)
    if absent:
        print(f"Warning: no value of {', '.join(absent)} is given; it counts as missing", file=sys.stderr)
    for texts in read_windows(sys.stdin.buffer) if words in ([], ["-"]) else [words]:
        scores = model.score(texts, given_columns(values, model.columns, len(texts)))
        for found in model.predictions(scores):
            unknown += found.no_known_words
            if isinstance(found, NumberPrediction):
                print(f"{found.number:.9g}")
                continue
            expected = f"\t{found.expected:.6f}" if isinstance(found, OrderedPrediction) else ""
            print(f"{UNSURE if found.unsure else one_line(found.label)}\t{found.probability:.6f}{expected}")
        tokens += scores.tokens
        sys.stdout.flush()
    if unknown:
        print(f"Warning: {unknown:,} of the texts have no word that the model knows", file=sys.stderr)
    if unlike := warning_of(tokens, model.usual_unknown):
        print(f"Warning: {unlike}", file=sys.stderr)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(130)  # prints nothing
    except Exception as error:
        print("Error:", *(str(error) or repr(error)).split(), file=sys.stderr)
        sys.exit(2)
