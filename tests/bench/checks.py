"""How well `rnn data check` finds wrong labels, what it costs, and whether its learning curve comes true.

    python tests/bench/checks.py [--sets imdb rotten_tomatoes] [--seeds 3] [--share 0.05]

Labels: `share` of a set's rows, by chance, get another label; the precision of the first 100 suggestions is the share
of them that were changed, and recall the share of changed rows that are suggested. The set's own mistakes count as
wrong suggestions, so the true precision is higher. Must reach 60 % on imdb and 35 % on rotten_tomatoes.

Cost: the whole process `rnn data check SET`, seconds by the clock and by the CPU (all cores) and its peak memory; on
imdb at most 60 s and 1,500 MB.

Curve: parts of the rows by chance (a half, a quarter, an eighth) expect a gain from twice as many; it is held against
the gain that the curve of all rows shows there.
"""

import argparse
import os
import sys
from statistics import mean

import numpy as np
from measuring import process

from rnn_cli.checks.label_errors import find_suspects, judged_rows
from rnn_cli.checks.learning_curve import learning_curve
from rnn_cli.checks.rows import WHOLE, CheckedRows
from rnn_cli.copies.words import learn_words, split_words
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import load_rows
from rnn_cli.linear.tfidf import count_features

FLOORS = {"imdb": 0.60, "rotten_tomatoes": 0.35}
COMMAND = "from rnn_cli.cli.main import main; main()"


def prepared(dataset: Dataset) -> tuple[CheckedRows, list[int], object]:
    rows = CheckedRows({WHOLE: dataset})
    words, _ = learn_words(rows.texts, split_words)
    judged = judged_rows(rows, words)
    return rows, judged, count_features(words.take(judged), len(set(rows.labels)))


def planted(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, set[int]]:
    chance = np.random.default_rng(seed)
    names = sorted(set(dataset.labels))
    changed = chance.choice(len(dataset), round(share * len(dataset)), replace=False).tolist()
    labels = list(dataset.labels)
    for row in changed:
        labels[row] = str(chance.choice([name for name in names if name != labels[row]]))
    return Dataset(dataset.name, dataset.texts, labels, dataset.lines), set(changed)


def wrong_labels(name: str, share: float, seeds: int) -> bool:
    found = []
    for seed in range(1, seeds + 1):
        rows, changed = planted(load_rows(name), share, seed)
        suspects = [each.row for each in find_suspects(*prepared(rows))]
        hits = [row in changed for row in suspects]
        found.append((mean(hits[:100]), mean(hits), sum(hits) / len(changed)))
        print(
            f"{name}: seed {seed}: {len(suspects):,} suggestions; precision of the first 100 {found[-1][0]:.0%}, "
            f"of all {found[-1][1]:.0%}; recall {found[-1][2]:.0%}",
            flush=True,
        )
    return min(each[0] for each in found) >= FLOORS.get(name, 0)


def cost(name: str) -> bool:
    before = os.times()
    seconds, megabytes, _ = process([sys.executable, "-c", COMMAND, "data", "check", name])
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"{name}: rnn data check: {seconds:.1f} s by the clock, {cpu:.1f} s CPU, {megabytes:,.0f} MB", flush=True)
    return name != "imdb" or (seconds <= 60 and megabytes <= 1500)


def curve_comes_true(name: str, seeds: int) -> None:
    whole = load_rows(name)
    later = learning_curve(*prepared(whole))
    assert later is not None
    for step in range(1, 4):
        gained = later.accuracies[-step] - later.accuracies[-step - 1]
        for seed in range(1, seeds + 1):
            part = np.sort(np.random.default_rng(seed).permutation(len(whole))[: len(whole) >> step])
            curve = learning_curve(*prepared(whole.select(part.tolist())))
            assert curve is not None
            low, high = curve.gain_range
            print(
                f"{name}: seed {seed}: {len(part):,} rows expect {100 * curve.gain:.1f} points more of twice as many "
                f"({100 * low:.1f} to {100 * high:.1f}); it was {100 * gained:.1f}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(FLOORS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--share", type=float, default=0.05)
    given = parser.parse_args()
    reached = [cost(name) for name in given.sets]
    reached += [wrong_labels(name, given.share, given.seeds) for name in given.sets]
    for name in given.sets:
        curve_comes_true(name, given.seeds)
    sys.exit(0 if all(reached) else "a target was missed")


if __name__ == "__main__":
    main()
