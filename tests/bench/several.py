"""How good a classifier of several labels a text is, beside a linear model of each label, as `rnn train FILE` makes it.

    python tests/bench/several.py FILE [--set KEY=VALUE ...]

FILE is a Parquet file with the columns `text`, `labels` (lists, or JSON lists) and `split` (`train`, `dev`): the config
is the one that `rnn init` would write for the training rows; validation rows out of these choose the epoch, the
calibration and the thresholds, and the rows `dev` are measured once, at the end. Prints the figures of both models with
their intervals, the paired differences, and the time.
"""

import argparse
import tempfile
import time
from pathlib import Path

import pandas

import rnn_cli as rnn
from rnn_cli.config.load import parse_override
from rnn_cli.evaluation.evaluate_several import SeveralEvaluation
from rnn_cli.evaluation.wording_several import SEVERAL_SHOWN, several_bounds, several_verdict


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    given = parser.parse_args()
    table = pandas.read_parquet(given.file)
    with tempfile.TemporaryDirectory() as folder:
        sides = {side: Path(folder, f"{side}.parquet") for side in ("train", "dev")}
        for side, file in sides.items():
            table[table["split"] == side][["text", "labels"]].to_parquet(file)
        started = time.perf_counter()
        overrides = [parse_override(each) for each in (f"data.test={sides['dev']}", *given.settings)]
        run = rnn.train(data=str(sides["train"]), out=Path(folder, "model"), overrides=overrides)
        seconds = time.perf_counter() - started
    for name, side in run.sides.items():
        assert isinstance(side, SeveralEvaluation) and side.baseline is not None
        models = {"network": side.metrics, "linear": side.baseline.metrics}
        for model, found in models.items():
            shown = (
                f"{called} {written(getattr(found, field))} ({several_bounds(found, field, written)})"
                for field, (called, written) in SEVERAL_SHOWN.items()
            )
            print(f"{name}, {found.rows:,} rows, {model}: {', '.join(shown)}", flush=True)
        print(several_verdict(name, side.baseline))
    print(f"{seconds:.0f} s in all, with both models, all measurements and the report")


if __name__ == "__main__":
    main()
