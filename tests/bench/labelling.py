"""Simulated sittings: how good a model is after so many answers, by which texts were asked, and what intervals hold.

    python tests/bench/labelling.py SET [--base none] [--draws 3] [--texts 3000] [--answers 20 50 100 200 400]
    python tests/bench/labelling.py SET --coverage 500 --texts 600
    python tests/bench/labelling.py SET --forecast 10

SET is a built-in set, whose labels answer, or a file with the columns `text` and `label`. Each draw takes `--texts`
texts to label and measures on up to 3,000 others. Asked are texts by chance, those with the least margin, and ours: a
session. The model is the session's own, fitted to all answers. `--rare LABEL` counts how many texts of a label are
found, too. The general model has learned from rotten_tomatoes, tweets and imdb: for those leave `--base` none.

`--coverage` instead counts in how many sittings of 200 answers the interval of the accuracy holds that of the same
model on up to 3,000 other texts, which are labelled, too.
`--forecast` instead says how far the accuracy with 50 more answers, as it is told during so many sittings, is from that
on the other texts; beside it, how far off it would be if no gain were expected.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.source import load_rows
from rnn_cli.labelling import learner
from rnn_cli.labelling.answers import hold_log
from rnn_cli.labelling.curve import LEAST_ANSWERS
from rnn_cli.labelling.figures import MORE_ANSWERS
from rnn_cli.labelling.learner import Beside, LoopModel
from rnn_cli.labelling.session import Session
from rnn_cli.labelling.texts import TextPool, join_copies
from rnn_cli.labelling.vectors import TextVectors

MOST_TEST_ROWS = 3_000
FIRST = 10
"""Texts that margins begin with."""

RARE_SHARE, OTHER = 0.02, "other"

ANSWERS = 200
"""Those of a sitting whose interval is checked."""

EVERY = 5
"""Margins are computed anew after so many answers; a session's model may lag as much behind a quick hand."""


class Draw:
    """Texts to label, their labels, and what they are measured on."""

    def __init__(self, texts: np.ndarray, labels: np.ndarray, count: int, base: str | None, seed: int) -> None:
        order = np.random.default_rng(seed).permutation(len(texts))
        mine, others = order[:count], order[count : count + MOST_TEST_ROWS]
        self.texts: TextPool = join_copies("simulated", list(texts[mine]))
        self.of_row = labels[mine]
        self.names = sorted(set(labels))
        self.vectors = TextVectors.of([self.texts.rows[row] for row in self.texts.pool], base)
        self.learner = LoopModel(self.vectors)
        ngrams, dense = self.vectors.more(list(texts[others]))
        self.test, self.truth = Beside(dense, ngrams), np.searchsorted(self.names, labels[others])
        self.chance = np.random.default_rng(seed)

    def accuracy(self, rows: list[int]) -> float:
        """That of the model of these rows' labels, on the others."""
        place = {int(row): at for at, row in enumerate(self.texts.pool)}
        opinion = self.learner.fit(self.names, {place[row]: self.of_row[row] for row in rows})
        if opinion is None:
            return float((self.truth == self.names.index(self.of_row[rows[0]])).mean())
        return float((opinion.model.probabilities(self.test).argmax(axis=1) == self.truth).mean())

    def at_random(self, most: int) -> list[int]:
        return [int(row) for row in self.chance.permutation(self.texts.pool)[:most]]

    def by_margin(self, most: int) -> list[int]:
        rows, place = self.at_random(FIRST), {int(row): at for at, row in enumerate(self.texts.pool)}
        while len(rows) < most:
            opinion = self.learner.fit(self.names, {place[row]: self.of_row[row] for row in rows})
            if opinion is None:
                rows += [row for row in self.at_random(len(rows) + EVERY) if row not in rows][:EVERY]
                continue
            order = self.texts.pool[np.argsort(opinion.margins, kind="stable")].tolist()
            rows += [row for row in order if row not in rows][:EVERY]
        return rows[:most]

    def by_session(self, most: int) -> list[int]:
        with self.sitting() as session:
            for number in range(most):
                session.answer_truly()
                if number % EVERY == 0:
                    session.learner.wait()
            return list(session.log.answers.by_row)

    def sitting(self) -> "Sitting":
        return Sitting(self)


class Sitting:
    """A session in a folder of its own, whose texts the true labels answer."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw

    def __enter__(self) -> "Sitting":
        self.folder = tempfile.TemporaryDirectory()
        texts = self.draw.texts
        log = Path(self.folder.name) / "log.jsonl"
        self.held = hold_log(log, "simulated", len(texts.rows), texts.fingerprint, self.draw.names)
        self.log = self.held.__enter__()
        self.session = Session(texts, self.log, self.draw.vectors, {})
        self.learner = self.session.learner
        return self

    def answer_truly(self) -> None:
        current = self.session.current
        assert current is not None
        self.session.label(self.draw.of_row[current.row])

    def __exit__(self, *_: object) -> None:
        self.session.close()
        self.held.__exit__(None, None, None)
        self.folder.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("set")
    parser.add_argument("--base", default="none")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--first-draw", type=int, default=0)
    parser.add_argument("--texts", type=int, default=3_000)
    parser.add_argument("--answers", type=int, nargs="+", default=[20, 50, 100, 200, 400])
    parser.add_argument("--rare")
    parser.add_argument("--coverage", type=int)
    parser.add_argument("--forecast", type=int)
    given = parser.parse_args()
    rows = load_rows(given.set, DataConfig(source=given.set))
    texts, labels = np.array(rows.texts, object), np.array(rows.labels)
    base = None if given.base == "none" else given.base
    if not given.forecast:
        learner.CURVE_EVERY = 10**9  # the learning curve takes most of a sitting's time, and is not measured
    if given.coverage:
        coverage(texts, labels, range(given.first_draw, given.first_draw + given.coverage), base, given.texts)
        return
    if given.forecast:
        forecasts(texts, labels, given.forecast, base, given.answers)
        return
    ways = {"random": Draw.at_random, "margin": Draw.by_margin, "ours": Draw.by_session}
    found: dict[str, list[list[float]]] = {way: [] for way in ways}
    for seed in range(given.first_draw, given.first_draw + given.draws):
        rows = (texts, labels) if given.rare is None else made_rare(texts, labels, given.rare, seed)
        draw = Draw(*rows, given.texts, base, seed)
        for way, choose in ways.items():
            asked = choose(draw, max(given.answers))
            if given.rare:
                is_rare = draw.of_row[asked] == given.rare
                found[way].append([float(is_rare[:count].sum()) for count in given.answers])
            else:
                found[way].append([100 * draw.accuracy(asked[:count]) for count in given.answers])
    print(f"{given.set}, {given.texts:,} texts, base {given.base}, draws {given.first_draw} to {seed}")
    measured = f"texts of {given.rare}" if given.rare else "accuracy, %"
    print(f"{measured} after answers; more than at random, ± standard error")
    print("        " + "".join(f"{count:>20}" for count in given.answers))
    for way, figures in found.items():
        more = np.array(figures) - found["random"]
        spread = more.std(axis=0, ddof=min(1, len(more) - 1)) / np.sqrt(len(more))
        columns = zip(np.mean(figures, axis=0), more.mean(axis=0), spread, strict=True)
        print(
            f"{way:8}" + "".join(f"{mean:7.1f} {gain:+5.1f} ± {error:3.1f}" for mean, gain, error in columns),
            flush=True,
        )


def made_rare(texts: np.ndarray, labels: np.ndarray, rare: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows with as few of one label as `RARE_SHARE` says, where it is not rarer; the others are `OTHER`."""
    of_it, others = np.flatnonzero(labels == rare), np.flatnonzero(labels != rare)
    wanted = round(len(others) * RARE_SHARE / (1 - RARE_SHARE))
    rows = np.concatenate([np.random.default_rng(seed).permutation(of_it)[:wanted], others])
    return texts[rows], np.where(labels[rows] == rare, rare, OTHER)


def coverage(
    texts: np.ndarray, labels: np.ndarray, draws: range, base: str | None, count: int, most: int = 200
) -> None:
    """Print, as sittings end, how many of their intervals hold the model's accuracy on other texts, and their width."""
    held, widths = 0, 0.0
    for done, seed in enumerate(draws, start=1):
        draw = Draw(texts, labels, count, base, seed)
        with draw.sitting() as sitting:
            for _ in range(ANSWERS):
                sitting.answer_truly()
            sitting.learner.wait()
            told, opinion = sitting.session.standing().accuracy, sitting.learner.latest
            assert told is not None and opinion is not None
            accuracy = float((opinion.model.probabilities(draw.test).argmax(axis=1) == draw.truth).mean())
        held += told.low <= accuracy <= told.high
        widths += told.high - told.low
        if done % 20 == 0 or done == len(draws):
            print(f"{held} of {done} intervals hold the accuracy, {held / done:.1%}; mean width {widths / done:.1%}")


def forecasts(texts: np.ndarray, labels: np.ndarray, sittings: int, base: str | None, answers: list[int]) -> None:
    """Print how much is gained with 50 more answers, and how far the forecast gain is off, which is told beside it.

    The gain is that in accuracy on other texts; the forecast begins at the accuracy there, not at the few texts that
    a sitting draws by chance, whose own error would hide the forecast's.
    """
    found: dict[int, list[tuple[float, float]]] = {count: [] for count in answers if 0.9 * count > LEAST_ANSWERS}
    for seed in range(sittings):
        draw = Draw(texts, labels, 2_000, base, seed)
        told, reached = {}, {}
        with draw.sitting() as sitting:
            for number in range(1, max(found) + MORE_ANSWERS + 1):
                sitting.answer_truly()
                if number % EVERY == 0:
                    sitting.learner.wait()
                if {number, number - MORE_ANSWERS} & found.keys():
                    sitting.learner.wait_for_curve()
                    told[number], opinion = sitting.learner.curve, sitting.learner.latest
                    assert opinion is not None
                    right = opinion.model.probabilities(draw.test).argmax(axis=1) == draw.truth
                    reached[number] = float(right.mean())
        for count, pairs in found.items():
            if (curve := told[count]) is not None:
                forecast = (1 - reached[count]) * (1 - curve.mistakes_left(0.9 * MORE_ANSWERS))
                pairs.append((reached[count + MORE_ANSWERS] - reached[count], forecast))
    print("answers   gain  forecast  off on average  largest  off without a forecast")
    for count, pairs in found.items():
        gains, forecast_gains = np.array(pairs).T
        off, without = abs(forecast_gains - gains), abs(gains)
        figures = (gains.mean(), forecast_gains.mean(), off.mean(), off.max(), without.mean())
        print(
            f"{count:7}"
            + "".join(f"{each:{width}.1%}" for each, width in zip(figures, (7, 10, 16, 9, 24), strict=True))
        )


if __name__ == "__main__":
    main()
