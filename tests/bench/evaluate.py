"""What measuring costs beyond scoring: `rnn evaluate --report` on 25,000 reviews against the bare Predictor.

    python tests/bench/evaluate.py [MODEL] [ROUNDS]

MODEL is a trained bundle of two labels, negative and positive (if not given, runs/latest, else one is trained); the
texts are those of imdb, and whether it learned from them makes no difference to the time. In turn, a process that has
the texts and the Predictor at hand scores them all, and the whole process `rnn evaluate` reads them, scores them,
measures with intervals and writes the report, mistakes explained. It may take 1.3 times as long as scoring plus 5 s.
"""

import statistics
import sys
import tempfile
from pathlib import Path

from measuring import Worker, in_turn, process, seconds, trained

from rnn_cli.data.source import load_rows
from rnn_cli.scoring.predictor import Predictor

SOURCE = "imdb"
TIMES, PLUS = 1.3, 5.0
COMMAND = "from rnn_cli.cli.main import main; main()"


def main(model: str, rounds: int) -> bool:
    memory: list[float] = []

    def measured(report: str) -> float:
        options = ["--model", model, "--data", SOURCE, "--report", report, "--force"]
        elapsed, megabytes, _ = process([sys.executable, "-c", COMMAND, "evaluate", *options])
        memory.append(megabytes)
        return elapsed

    with tempfile.TemporaryDirectory() as folder, Worker([sys.executable, __file__, model, "--bare"]) as bare:
        ours, scoring = in_turn(lambda: measured(str(Path(folder) / "report.html")), bare.seconds, rounds)
    allowed = [TIMES * each + PLUS for each in scoring]
    ratios = [a / b for a, b in zip(ours, scoring, strict=True)]
    print(
        f"{SOURCE}   scored {statistics.median(scoring):.1f} s   evaluated {statistics.median(ours):.1f} s, "
        f"{max(memory):,.0f} MB   {statistics.median(ratios):.2f} times as long ({min(ratios):.2f} to "
        f"{max(ratios):.2f})   allowed {statistics.median(allowed):.1f} s"
    )
    return statistics.median(ours) <= statistics.median(allowed)


def score_when_asked(model: str) -> None:
    predictor, texts = Predictor.open(Path(model)), load_rows(SOURCE).texts
    print("ready", flush=True)
    for _ in sys.stdin:
        print(seconds(lambda: predictor.score(texts)), flush=True)


if __name__ == "__main__":
    if "--bare" in sys.argv:
        score_when_asked(sys.argv[1])
    else:
        named, rounds = (*sys.argv[1:], None, None)[:2]
        reached = main(trained(named), int(rounds or 3))
        sys.exit(0 if reached else "the target was missed")
