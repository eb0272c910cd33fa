"""Real sittings: how fast one is over very many rows, and one in a terminal, whose keys the true labels press.

    python tests/bench/sitting.py large 1000000 [--base none] [--tries 3]
    python tests/bench/sitting.py replay SET DIR [--texts 2000] [--answers 450] [--pace 2] [--base none] [--labels a,b]
        [--evaluate=--include-seen]

`large` writes pairs of sentences of the built-in set `imdb` as a file, begins a sitting without the index and then
`--tries` times with it, each in a process of its own from Python's start on, and gives some answers. Told are the
least wall and processor time, and the most memory: other work on the machine lengthens the wall time.

`replay` puts `--texts` texts of a built-in set, or of a file with the columns `text` and `label`, without their labels
into DIR/texts.csv and up to 3,000 others, with them, into DIR/test.csv. It then runs `rnn label` in tmux, reads the
screen, presses the key of the true label `--pace` seconds later, trains by each command that is typed out at the end,
and measures the models on test.csv. DIR/screens.txt keeps the screens after 20, 50, 100, … answers.
"""

import argparse
import csv
import json
import os
import random
import re
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.source import load_rows
from rnn_cli.labelling.keys import keys_of
from rnn_cli.labelling.session import begin_session

ANSWERED = 30
"""Answers that are timed."""

COLUMNS, LINES = 80, 30
"""The terminal of a replay."""

RNN = f"{shlex.quote(sys.executable)} -m rnn_cli"


def write_large(path: Path, rows: int) -> None:
    """A file of so many different texts, each two sentences of film reviews."""
    chance = random.Random(1)
    reviews = load_rows("imdb", DataConfig(source="imdb")).texts
    sentences = [each for text in reviews for each in re.split(r"(?<=[.!?]) +", text) if 20 < len(each) < 200]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows((row, " ".join(chance.sample(sentences, 2))) for row in range(rows))


def begin_large(source: str, base: str | None, began: float) -> None:
    """Begin a sitting in this process, answer, and print what that took, as JSON."""
    with begin_session(source, ["a", "b"], base=base) as session:
        assert session.current is not None
        found = {"wall": time.time() - began, "cpu": time.process_time()}
        waits = []
        for number in range(ANSWERED):
            start, start_cpu = time.perf_counter(), time.thread_time()
            session.label("ab"[number % 2])
            assert session.current is not None
            waits.append((1000 * (time.perf_counter() - start), 1000 * (time.thread_time() - start_cpu)))
            time.sleep(0.2)
        walls, of_thread = np.array(waits).T
        found |= {"next wall ms": float(np.median(walls)), "next most wall ms": float(walls.max())}
        found |= {"next most cpu ms": float(of_thread.max())}
    found["MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


def large(rows: int, base: str, tries: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.csv"
        write_large(path, rows)
        print(f"{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB, base {base}; load {os.getloadavg()[0]:.1f}")
        runs = []
        for number in range(tries + 1):
            Path(f"{path}.labels.jsonl").unlink(missing_ok=True)
            command = [sys.executable, __file__, "begin", str(path), base, str(time.time())]
            runs.append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout))
            if number == 0:
                print("without an index:", *(f"{name} {value:.1f}" for name, value in runs[0].items()), flush=True)
        most = {"MB"}
        best = {name: (max if name in most else min)(run[name] for run in runs[1:]) for name in runs[0]}
        print(f"with it, the best of {tries}:", *(f"{name} {value:.1f}" for name, value in best.items()))


class Screen:
    """A tmux window in which a command runs."""

    def __init__(self, command: str, folder: Path) -> None:
        self.name = f"sitting-{os.getpid()}"
        size = ["-x", str(COLUMNS), "-y", str(LINES)]
        self._run("new-session", "-d", "-s", self.name, *size, "-c", str(folder), f"{command}; cat")

    def _run(self, *words: str) -> str:
        command = ["tmux", "-L", self.name, *words]
        return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout

    def shown(self) -> str:
        return self._run("capture-pane", "-p", "-t", self.name)

    def until(self, pattern: str, seconds: float = 600) -> re.Match[str]:
        """The match of what is shown, once it is there."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := re.search(pattern, self.shown(), re.DOTALL):
                return found
            time.sleep(0.02)
        raise SystemExit(f"not shown: {pattern}\n{self.shown()}")

    def press(self, key: str) -> None:
        self._run("send-keys", "-t", self.name, "-l", key)

    def close(self) -> None:
        self._run("kill-server")


def replay(given: argparse.Namespace) -> None:
    folder = Path(given.folder)
    folder.mkdir(parents=True)
    rows = load_rows(given.set, DataConfig(source=given.set))
    names = given.labels.split(",") if given.labels else sorted(set(rows.labels))
    known = [at for at, label in enumerate(rows.labels) if label in names]
    order = np.random.default_rng(given.seed).permutation(known).tolist()
    mine, others = order[: given.texts], order[given.texts : given.texts + 3_000]
    write_csv(folder / "texts.csv", ["text"], [[rows.texts[row]] for row in mine])
    write_csv(folder / "test.csv", ["text", "label"], [[rows.texts[row], rows.labels[row]] for row in others])
    key_of = {label: key for key, label in keys_of(names).items()}
    base = "" if given.base == "general" else f" --base {shlex.quote(given.base)}"
    screen = Screen(f"{RNN} label texts.csv --labels {','.join(names)} --out labelled.csv{base}", folder)
    began, kept = time.monotonic(), []
    try:
        for number in range(given.answers):
            shown = screen.until(rf" {number:,} of .*\n  row ([\d,]+).*q end, all is kept")
            if number in (20, 50, 100, 200, 300, 400):
                kept.append(screen.shown())
            time.sleep(given.pace)
            screen.press(key_of[rows.labels[mine[int(shown[1].replace(",", "")) - 1]]])
        screen.until(f" {given.answers:,} of ")
        kept.append(screen.shown())
        screen.press("q")
        screen.until("Train .*\n.*\n")
        time.sleep(1)
        kept.append(end := screen.shown())
    finally:
        screen.close()
    (folder / "screens.txt").write_text("\n".join(kept), encoding="utf-8")
    print(end.rstrip())
    print(f"{given.answers} keys in {time.monotonic() - began:.0f} seconds")
    commands = re.findall(r"^(?:Train|or) +rnn (.*(?:\n(?!or |Train ).+)*)", end, re.MULTILINE)
    for number, command in enumerate(commands):
        measure(folder, command.replace("\n", ""), f"model-{number}", given.evaluate)


def write_csv(path: Path, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])


def measure(folder: Path, command: str, name: str, options: str) -> None:
    """Train by a command, and print how good the model is on the texts that were not to label."""
    start = time.monotonic()
    train = f"{RNN} {command} --quiet --out {name}"
    subprocess.run(train, shell=True, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    print(f"rnn {command}: {time.monotonic() - start:.0f} seconds", flush=True)
    evaluate = f"{RNN} evaluate --model {name} --data test.csv {options} | head -12"
    subprocess.run(evaluate, shell=True, cwd=folder, check=True)


def main() -> None:
    if sys.argv[1:2] == ["begin"]:  # a process of `large`
        return begin_large(sys.argv[2], None if sys.argv[3] == "none" else sys.argv[3], float(sys.argv[4]))
    parser = argparse.ArgumentParser()
    ways = parser.add_subparsers(dest="way", required=True)
    of_many = ways.add_parser("large")
    of_many.add_argument("rows", type=int)
    of_many.add_argument("--tries", type=int, default=3)
    of_one = ways.add_parser("replay")
    of_one.add_argument("set")
    of_one.add_argument("folder")
    of_one.add_argument("--texts", type=int, default=2_000)
    of_one.add_argument("--answers", type=int, default=450)
    of_one.add_argument("--pace", type=float, default=2.0)
    of_one.add_argument("--labels")
    of_one.add_argument("--seed", type=int, default=0)
    of_one.add_argument("--evaluate", default="", help="options of rnn evaluate")
    for each in (of_many, of_one):
        each.add_argument("--base", default="general")
    given = parser.parse_args()
    if given.way == "large":
        return large(given.rows, given.base, given.tries)
    return replay(given)


if __name__ == "__main__":
    main()
