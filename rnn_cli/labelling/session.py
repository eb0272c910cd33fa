"""One sitting: what is shown, what is answered, what comes next. A terminal drives it, or a page.

Every change is on the disk before a method returns. It prints nothing and reads no key. The next text is there at
once: the model learns in the background, and what it knew last is what counts.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_cli.bundle.locate import GENERAL
from rnn_cli.config.schema import DataConfig
from rnn_cli.errors import UsageError
from rnn_cli.kinds import LabelsKind
from rnn_cli.labelling import figures
from rnn_cli.labelling.answers import (
    ADD,
    AFTER,
    CHANCE,
    DOUBT,
    HINT,
    LABEL,
    NOTE,
    PASS,
    REST,
    SEARCH,
    UNDO,
    VARIED,
    AnswerLog,
    LabelOrSet,
    check_count,
    hold_log,
    labels_in,
    log_of,
    read_log,
)
from rnn_cli.labelling.choosing import (
    FIRST_TEXTS,
    SPREAD_PER_LABEL,
    TEST_SHARE,
    hint_orders,
    parse_hints,
    search_order,
    spread_order,
    test_order,
    unsure_order,
)
from rnn_cli.labelling.course import Course, CoursePoint, LabelledText
from rnn_cli.labelling.figures import MORE_ANSWERS, MeasuredShare
from rnn_cli.labelling.learner import LoopModel, Opinion, predicted_labels
from rnn_cli.labelling.review import DoubtedLabel, doubted_labels
from rnn_cli.labelling.texts import TextPool, read_pool
from rnn_cli.labelling.vectors import OnRead, TextVectors
from rnn_cli.text.plain import one_line, plain

HINTED = 5
"""So many answers a hint asks for; then the model knows enough of its label."""

LONGEST_LABEL = 60

ORDER_SEED = 1


@dataclass(frozen=True)
class Shown:
    """A text to label: its row, counted from 0, how many rows have the same words, why it is asked, its note.

    `guess` is what the model thinks, with its probability; None while it has no opinion.
    """

    row: int
    text: str
    copies: int
    chosen: str
    note: str
    guess: LabelOrSet | None
    probability: float
    """Of the guess; of several labels that of the least sure one, there or not there."""


@dataclass(frozen=True)
class Standing:
    """How far it is. `counts` are texts per label; `accuracy` is the model's now, from the texts drawn by chance.

    Where a text may have several labels, a guess is right if all of them are.
    """

    labelled: int
    """How many texts have been given a label, several, or none of them."""
    counts: Mapping[str, int]
    skipped: int
    texts: int
    """Texts that can be asked, copies counted once."""
    accuracy: MeasuredShare | None
    expected: float | None
    """The accuracy with `MORE_ANSWERS` more, about; None while it is not known, or where fewer texts are left."""
    agreement: MeasuredShare | None
    """How often the last answers were the model's guesses, unseen."""
    per_minute: float | None
    seconds: float
    """How long this sitting has taken."""


@dataclass(frozen=True)
class Why:
    """Why a text is asked, and what the model makes of it: labels with their probabilities, words for and against."""

    chosen: str
    probabilities: Sequence[tuple[str, float]]
    words_for: Sequence[str]
    words_against: Sequence[str]


class Session:
    """A sitting over texts and their log. `is_guess_shown` may be changed at any time.

    `after` are rows that another person has labelled; they are asked before others, in random order.
    """

    def __init__(
        self,
        texts: TextPool,
        log: AnswerLog,
        vectors: TextVectors,
        hints: Mapping[str, re.Pattern[str]],
        after: Sequence[int] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.texts, self.log, self.is_guess_shown = texts, log, False
        self.learner = LoopModel(vectors, log.answers.kind)
        self._clock = clock
        self._began = self._stands_since = clock()
        self._place = {int(row): at for at, row in enumerate(texts.pool)}
        order = test_order(len(texts.pool), ORDER_SEED)
        self._kept = [int(texts.pool[at]) for at in order]
        self._is_kept = np.zeros(len(texts.pool), bool)
        self._is_kept[order] = True
        self._course = Course(self.learner.fit, order, texts.weights)
        self._after = np.random.default_rng(ORDER_SEED).permutation(np.array(after, np.intp)).tolist()
        self._hints = hint_orders(hints, [texts.rows[row] for row in texts.pool], ORDER_SEED)
        self._spread: list[int] | None = None
        self._ahead: list[int] = []
        self._ahead_of: Opinion | None = None
        self._searched: list[int] = []
        self._measured: tuple[Opinion, int, MeasuredShare | None] | None = None
        self._answers = log.answers.by_row
        self._learn()
        if self._answers:
            self.learner.wait()  # going on: the first text already comes from what is known
        self._shown = self._next()

    @property
    def source(self) -> str:
        """The file of texts, as it was named."""
        return self.texts.source

    @property
    def labels(self) -> Sequence[str]:
        """The labels, in the order of their keys."""
        return tuple(self.log.answers.labels)

    @property
    def current(self) -> Shown | None:
        """The text that stands now; None when all are answered."""
        if self._shown is None:
            return None
        row, chosen = self._shown
        guess, probability = self._guess(row)
        note = self.log.answers.notes.get(row, "")
        return Shown(row, self.texts.rows[row], self.texts.copies(row), chosen, note, guess, probability)

    @property
    def kind(self) -> LabelsKind:
        """Whether a text has one label, several, or one of labels that have an order."""
        return self.log.answers.kind

    def label(self, label: LabelOrSet) -> None:
        """Give the text that stands a label; the next one stands then. Raises `UsageError` and `WriteError`.

        Where a text may have several labels, all of them are given, as a tuple; () is none of them.
        """
        self._answer(LABEL, label=self._checked(label))

    def skip(self) -> None:
        """Leave the text that stands without a label. Raises `WriteError`."""
        self._answer(PASS)

    def change(self, row: int, label: LabelOrSet | None) -> None:
        """Give a row that has an answer another one, None for no label; what stands stays.

        Why the row was asked stays, too, so the figures come from the same texts. Raises `UsageError`, `WriteError`.
        """
        if (before := self._answers.get(row)) is None:
            raise UsageError(f"row {row + 1:,} has no answer to change")
        if label == before.label:
            return
        if label is None:
            self.log.add(do=PASS, row=row, chosen=before.chosen)
        else:
            self.log.add(do=LABEL, row=row, label=self._checked(label), chosen=before.chosen)
        self._answers[row] = self.log.answers.steps[-1]
        self._learn()

    def review(self, row: int, label: LabelOrSet) -> None:
        """Give a row its label again, or another one, after a second look. Raises `UsageError`, `WriteError`."""
        if (before := self._answers.get(row)) is None:
            raise UsageError(f"row {row + 1:,} has no answer to review")
        self.log.add(do=LABEL, row=row, label=self._checked(label), chosen=before.chosen, reviewed=True)
        self._answers[row] = self.log.answers.steps[-1]
        if label != before.label:
            self._learn()

    def doubts(self, on_fold: OnRead = lambda *_: None) -> list[DoubtedLabel]:
        """The labels that are most likely wrong, those that were reviewed left out. Raises `DataError`."""
        return doubted_labels(self.learner, self.texts, self.labels, self._answers, on_fold)

    def ask(self, row: int, chosen: str) -> None:
        """Have a row without an answer stand, which was `chosen` for this reason before. Raises `UsageError`."""
        if row in self._answers or not 0 <= row < len(self.texts.rows):
            raise UsageError(f"row {row + 1:,} is not open")
        if self._shown is None or self._shown[0] != row:
            self._stand((row, CHANCE if row in self._kept else chosen))

    def undo(self) -> bool:
        """Take the last answer back, its text stands again; False if there is none. Raises `WriteError`.

        Where the last answer changed an earlier one, that one holds again, and what stands stays.
        """
        if not self.log.answers.steps:
            return False
        last = self.log.answers.steps[-1]
        self.log.add(do=UNDO)
        self._answers = self.log.answers.by_row
        if last.row in self._answers:
            self._learn()
            return True
        if self._shown is not None and self._shown[1] == SEARCH:
            self._searched.insert(0, self._shown[0])
        self._stand((last.row, last.chosen))
        self._learn()
        return True

    def note(self, text: str) -> None:
        """Write a note to the text that stands, in place of an earlier one; "" removes it. Raises `WriteError`."""
        if self._shown is not None:
            self.log.add(do=NOTE, row=self._shown[0], note=one_line(text))

    def add_label(self, label: str) -> str:
        """Add a label, and return it as it is kept. Raises `UsageError` for one that cannot be, and `WriteError`."""
        label = kept_labels([label])[0]
        if label in self.labels:
            raise UsageError(f"there is a label {label!r} already")
        check_count([*self.labels, label])
        if self.kind == "ordered":
            raise UsageError("an order of labels is fixed", hint="begin anew with all labels: --as NAME")
        self.log.add(do=ADD, label=label)
        self._learn()
        return label

    def search(self, words: str) -> int:
        """Ask texts with these words next, then those near to them; returns how many hold them all.

        Without words, ends a search. The texts kept for the figures are not among them.
        """
        pool = [int(row) for row in self.texts.pool]
        holding, near = search_order(words, self.texts.rows, self.learner.vectors, pool)
        asked = [self.texts.stands_for(row) for row in (*holding, *near)]
        kept = set(self._kept)
        self._searched = [row for row in dict.fromkeys(asked) if row not in self._answers and row not in kept]
        found = len({self.texts.stands_for(row) for row in holding} & set(self._searched))
        self._stand(self._next())
        return found

    @property
    def is_searching(self) -> bool:
        """Whether what stands was found by words."""
        return self._shown is not None and self._shown[1] == SEARCH

    def why(self) -> Why | None:
        """Why the text that stands is asked; None if none does."""
        if self._shown is None:
            return None
        (row, chosen), opinion = self._shown, self.learner.latest
        if opinion is None:
            return Why(chosen, (), (), ())
        found = self.learner.probabilities(opinion, [self._number(row)])[0]
        order = np.argsort(-found, kind="stable").tolist()
        told = self.learner.words_for(opinion, self.texts.rows[row], order[0])
        return Why(chosen, [(opinion.labels[at], float(found[at])) for at in order], *told)

    def standing(self) -> Standing:
        """How far it is, and how good the model is now."""
        counts = Counter(label for each in self._answers.values() for label in labels_in(each.label))
        skipped = sum(each.label is None for each in self._answers.values())
        steps, accuracy = self.log.answers.steps, self._accuracy()
        return Standing(
            len(self._answers) - skipped,
            {label: counts[label] for label in self.labels},
            skipped,
            len(self.texts.pool),
            accuracy,
            self._expected(accuracy),
            figures.agreement(steps),
            figures.per_minute(steps),
            self._clock() - self._began,
        )

    def course(self) -> list[CoursePoint]:
        """How the accuracy has grown with the answers, as far as it is known yet; more is found out in the background.

        Raises what stopped that.
        """
        answers = [
            LabelledText(self._number(row), each.label, each.chosen == CHANCE)
            for row, each in self._answers.items()
            if each.label is not None
        ]
        return self._course.points(self.labels, answers)

    def close(self) -> None:
        """End the background work."""
        self._course.close()
        self.learner.close()

    def _checked(self, label: LabelOrSet) -> LabelOrSet:
        """The label, or several in order. Raises `UsageError` for one that there is not."""
        given = labels_in(label)
        if unknown := [each for each in given if each not in self.labels]:
            raise UsageError(f"no label {unknown[0]!r}", hint=f"labels: {', '.join(self.labels)}")
        if self.kind == "several":
            return tuple(each for each in self.labels if each in given)
        if len(given) != 1:
            raise UsageError(f"a text has one label, not {len(given)}")
        return given[0]

    def _answer(self, kind: str, **more: LabelOrSet) -> None:
        if self._shown is None:
            return
        (row, chosen), seconds = self._shown, self._clock() - self._stands_since
        guess, _ = self._guess(row)
        step = {"do": kind, "row": row, **more, "chosen": chosen, "guess": guess, "shown": self.is_guess_shown}
        self.log.add(**step, seconds=round(seconds, 1))
        self._answers[row] = self.log.answers.steps[-1]
        self._learn()
        self._stand(self._next())

    def _stand(self, shown: tuple[int, str] | None) -> None:
        self._shown, self._stands_since = shown, self._clock()

    def _learn(self) -> None:
        """Have the model learn all labelled texts but those drawn by chance."""
        known = {
            self._number(row): each.label
            for row, each in self._answers.items()
            if each.label is not None and each.chosen != CHANCE
        }
        self.learner.learn(self.labels, known)

    def _number(self, row: int) -> int:
        """A row as the learner knows it: its place in the pool, or a number of its own behind."""
        if row in self._place:
            return self._place[row]
        self.learner.add(len(self._place) + row, self.texts.rows[row])
        return len(self._place) + row

    def _guess(self, row: int) -> tuple[LabelOrSet | None, float]:
        opinion = self.learner.latest
        if opinion is None:
            return None, 0.0
        at = self._place.get(row)
        found = self.learner.probabilities(opinion, [self._number(row)])[0] if at is None else opinion.probabilities[at]
        guess = predicted_labels(self.kind, opinion.labels, found[None])[0]
        return guess, float(np.maximum(found, 1 - found).min() if self.kind == "several" else found.max())

    def _accuracy(self) -> MeasuredShare | None:
        opinion = self.learner.latest
        drawn = {row: each for row, each in self._answers.items() if each.chosen == CHANCE and each.label is not None}
        if opinion is None or not drawn:
            return None
        numbers = [self._place[row] for row in drawn]
        found = predicted_labels(self.kind, opinion.labels, opinion.probabilities[numbers])
        right = [one == each.label for one, each in zip(found, drawn.values(), strict=True)]
        return MeasuredShare.of(right, self.texts.weights[numbers].tolist())

    def _expected(self, now: MeasuredShare | None) -> float | None:
        """The accuracy with more answers, of which every tenth is not learned from."""
        curve = self.learner.curve
        if now is None or curve is None or len(self.texts.pool) - len(self._answers) < MORE_ANSWERS:
            return None
        return 1 - (1 - now.share) * curve.mistakes_left((1 - TEST_SHARE) * MORE_ANSWERS)

    def _next(self) -> tuple[int, str] | None:
        """The text to ask next, and why."""
        while self._searched:
            if (row := self._searched.pop(0)) not in self._answers:
                return row, SEARCH
        if (again := self._first_open(self._after)) is not None:
            return again, CHANCE if again in self._kept else AFTER
        if self._is_chance_due() and (drawn := self._first_open(self._kept)) is not None:
            return drawn, CHANCE
        for choose in (self._hinted, self._kind, self._doubtful):
            if (found := choose()) is not None:
                return found
        left = self._first_open(self._kept)
        return None if left is None else (left, CHANCE)

    def _is_chance_due(self) -> bool:
        """Whether a text must be drawn by chance to keep their share; after a search, every other text at most."""
        steps = self.log.answers.steps
        drawn = sum(each.chosen == CHANCE for each in self._answers.values())
        return drawn < int((len(self._answers) + 1) * TEST_SHARE) and steps[-1].chosen != CHANCE

    def _first_open(self, rows: Iterable[int]) -> int | None:
        return next((row for row in rows if row not in self._answers), None)

    def _first_of_pool(self, places: Iterable[int]) -> int | None:
        return self._first_open(int(self.texts.pool[at]) for at in places)

    def _hinted(self) -> tuple[int, str] | None:
        """A text that a hint finds, of the label that was hinted at least often so far."""
        hinted = [each for each in self._answers.values() if each.chosen == HINT]
        given = Counter(label for each in hinted for label in labels_in(each.label))
        if len(hinted) >= 2 * HINTED * len(self._hints):  # hints that do not help
            return None
        for label in sorted(self._hints, key=lambda each: given[each]):
            found = self._first_of_pool(at for at in self._hints[label] if not self._is_kept[at])
            if given[label] < HINTED and found is not None:
                return found, HINT
        return None

    def _kind(self) -> tuple[int, str] | None:
        """A text from the middle of a cluster, while the model knows too little to choose."""
        spread = sum(each.chosen == VARIED for each in self._answers.values())
        opinion = self.learner.latest
        count = max(FIRST_TEXTS, SPREAD_PER_LABEL * len(self.labels))
        if spread >= count and opinion is not None:
            return None
        if self._spread is None:
            self._spread = spread_order(self.learner.vectors.dense, ~self._is_kept, count, ORDER_SEED)
            left = np.random.default_rng(ORDER_SEED).permutation(np.flatnonzero(~self._is_kept)).tolist()
            self._spread += left  # where the clusters held one label alone
        row = self._first_of_pool(self._spread)
        return None if row is None else (row, VARIED)

    def _doubtful(self) -> tuple[int, str] | None:
        """A text of which the model is unsure."""
        opinion = self.learner.latest
        if opinion is None:
            return None
        if opinion is not self._ahead_of:
            may_ask = ~self._is_kept
            answered = [self._place[row] for row in self._answers if row in self._place]
            may_ask[answered] = False
            self._ahead = unsure_order(opinion, self.learner.vectors.dense, may_ask, answered[-10:])
            self._ahead_of = opinion
        row = self._first_of_pool(self._ahead)
        if row is None:  # all that were chosen ahead are answered: no fit has ended since
            row = self._first_of_pool(np.flatnonzero(~self._is_kept))
            return None if row is None else (row, REST)
        return row, DOUBT


def kept_labels(labels: Sequence[str]) -> list[str]:
    """Labels as they are kept, on one line.

    Raises `UsageError` for one that is empty, too long, named twice or has control characters, and for too many.
    """
    check_count(labels)
    found: list[str] = []
    for label in (" ".join(each.split()) for each in labels):
        if label != plain(label):
            raise UsageError(f"{plain(label)!r} has characters that cannot be shown", where="--labels")
        if not label or len(label) > LONGEST_LABEL:
            raise UsageError(f"a label has 1 to {LONGEST_LABEL} characters", where="--labels")
        if label in found:
            raise UsageError(f"{label!r} is named twice", where="--labels")
        found.append(label)
    return found


@contextmanager
def begin_session(
    source: str,
    labels: Sequence[str] = (),
    *,
    config: DataConfig = DataConfig(),  # noqa: B008  (it is immutable)
    by: str | None = None,
    hints: Sequence[str] = (),
    after: str | None = None,
    base: str | None = GENERAL,
    kind: LabelsKind | None = None,
    on_read: OnRead = lambda *_: None,
) -> Iterator[Session]:
    """A sitting over a file of texts while the block runs; `labels` and their `kind` may be left out when going on.

    `by` is who labels, for two people with a log each; what `after` has labelled is asked first ("" is the log
    without a name). `base` names the model that reads the texts, None for none;
    `on_read` is called with how many texts it has read. Raises `UsageError`, `DataError`, `BundleError`, `WriteError`.
    """
    log, named = log_of(source, by), kept_labels(labels)
    texts = read_pool(source, config)
    rows = [] if after is None else _labelled_by(log_of(source, after or None), texts)
    with ExitStack() as held:
        answers = held.enter_context(hold_log(log, source, len(texts.rows), texts.fingerprint, named, by, kind))
        patterns = parse_hints(hints, answers.answers.labels)
        vectors = TextVectors.of([texts.rows[row] for row in texts.pool], base, on_read)
        session = Session(texts, answers, vectors, patterns, rows)
        held.callback(session.close)
        yield session


def _labelled_by(log: Path, texts: TextPool) -> list[int]:
    """The rows that a log has labels of. Raises `DataError`."""
    head, answers = read_log(log)
    head.check(len(texts.rows), texts.fingerprint, log)
    return list(answers.labelled)
