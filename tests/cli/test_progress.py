"""How far long work is, told: a bar on a terminal, elsewhere a line whenever it was silent for ten seconds."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.progress import Progress

from rnn_cli import progress
from rnn_cli.bundle.history import EpochMetrics
from rnn_cli.progress import Bars, Lines, in_words, listening
from rnn_cli.training.listener import announce_tensorflow

from .conftest import Rnn, on_a_terminal, tiny_overrides

Told = Callable[[], list[str]]
EPOCH = EpochMetrics(1, 0.5, 0.75, 0.4, 0.8, 1e-3, 0.7, 0.1, 30.0)


class Clock:
    """Time that passes only when it is told to."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr(progress, "SILENCE", 10.0)
    return clock


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    return lambda: capsys.readouterr().err.splitlines()


def test_a_long_step_has_a_line_every_ten_seconds_with_the_time_left(clock: Clock, told: Told) -> None:
    lines = Lines()
    for second in range(41):
        lines.progress("n-gram part: labels", 1_000 + second, 1_200)
        lines.tick()
        clock.now += 1
    assert told() == [
        "n-gram part: labels 1,010/1,200, 3 min left",
        "n-gram part: labels 1,020/1,200, 3 min left",
        "n-gram part: labels 1,030/1,200, 3 min left",
        "n-gram part: labels 1,040/1,200, 3 min left",
    ]


def test_what_tells_nothing_itself_is_told_by_its_name_and_how_long_it_takes(clock: Clock, told: Told) -> None:
    lines = Lines()
    lines.doing("token vectors")
    for _ in range(25):
        clock.now += 1
        lines.tick()
    lines.note("token vectors, 25s")
    clock.now += 11
    lines.tick()
    assert told() == [
        "token vectors, 10s so far",
        "token vectors, 20s so far",
        "token vectors, 25s",
        "working, 11s so far",
    ]


def test_short_steps_say_nothing(clock: Clock, told: Told) -> None:
    lines = Lines()
    for step in range(12):
        lines.doing("reading")
        clock.now += 3
        lines.progress("fit", step % 3, 3)
        lines.note("a note")
        lines.tick()
    assert set(told()) == {"a note"}


def test_what_comes_after_a_note_is_counted_from_it(clock: Clock, told: Told) -> None:
    lines = Lines()
    lines.note("one")
    clock.now += 9
    lines.note("two")
    for _ in range(12):
        clock.now += 1
        lines.tick()
    assert told() == ["one", "two", "working, 10s so far"]


def test_loading_tensorflow_is_called_so_however_long_it_takes(clock: Clock, told: Told) -> None:
    lines = Lines()
    announce_tensorflow(lines)
    for _ in range(12):
        clock.now += 1
        lines.tick()
    assert told() == ["loading TensorFlow", "loading TensorFlow, 10s so far"]


def test_an_epoch_under_way_says_what_is_left_of_it_and_of_all(clock: Clock, told: Told) -> None:
    lines = Lines()
    lines.epoch_starts(1, 3, 40, 10)  # gone on with: ten batches were done before
    for _ in range(15):
        clock.now += 1
        lines.step_done(0.5, 0.75)
        lines.tick()
    lines.progress("validation rows", 0, 100)
    clock.now += 10
    lines.progress("validation rows", 50, 100)
    lines.tick()
    lines.epoch_done(EPOCH, best=True)
    head, *said = told()
    assert head == progress.HEAD
    assert said == [
        "epoch 1/3 20/40 loss 0.5000  accuracy 75.0%, 20s left, 2 min in all",
        "validation rows 50/100, 10s left",
        "1/3     0.5000     75.0%     0.4000      80.0%       0.7      10%    30s  best",
    ]


def test_scoring_files_tells_rows_their_rate_and_the_time_left(clock: Clock, told: Told) -> None:
    lines = Lines()
    lines.to_read(1_000)
    lines.read(0)
    for _ in range(10):
        clock.now += 1
        lines.read(25)
        lines.scored(300)
        lines.tick()
    assert told() == ["scoring 25%, 3,000 rows, 300 a second, 30s left"]
    assert lines.rows == 3_000


def test_scoring_what_has_no_size_tells_no_end(clock: Clock, told: Told) -> None:
    lines = Lines()
    lines.scored(0)
    clock.now += 10
    lines.scored(50)
    lines.tick()
    assert told() == ["scoring 50 rows, 5 a second, 10s so far"]


def test_a_duration_is_told_as_people_do() -> None:
    assert [in_words(each) for each in (0, 9.6, 99, 100, 600, 6_000, 7_500)] == [
        *("0s", "10s", "99s", "2 min", "10 min", "1 h 40 min", "2 h 5 min")
    ]


def test_a_step_has_a_bar_that_goes_when_it_is_over_or_a_note_comes(clock: Clock) -> None:
    with Progress(disable=True) as shown:
        bars = Bars(shown)
        bars.progress("n-gram part: labels", 5, 20)
        assert not shown.tasks, "it may be over in a moment"
        clock.now += 1
        bars.progress("n-gram part: labels", 6, 20)
        (task,) = shown.tasks
        assert (task.description, task.completed, task.total) == ("n-gram part: labels", 6, 20)
        assert task.fields["text"] == "6/20"
        bars.progress("n-gram part: labels", 20, 20)
        assert not shown.tasks
        bars.progress("n-gram part: labels", 1, 600)
        clock.now += 1
        bars.tick()
        assert [task.fields["left"] for task in shown.tasks] == ["1s so far"]
        bars.note("n-gram part alone: validation 90.0%")
        assert not shown.tasks
        bars.progress("a", 1, 2)
        bars.doing("b")
        clock.now += 2
        bars.tick()
        assert [(task.description, task.total) for task in shown.tasks] == [("b", None)]
        bars.epoch_starts(1, 2, 40, 0)
        assert [(task.description, task.total) for task in shown.tasks] == [("epoch 1/2", 40)]


def test_the_line_comes_while_the_work_itself_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "BEAT", 0.001)
    is_told = threading.Event()
    monkeypatch.setattr(Lines, "tick", lambda _: is_told.set())
    before = threading.active_count()
    with listening() as listener:
        listener.doing("what a library does")
        assert is_told.wait(10)
    assert threading.active_count() == before


def test_a_reader_that_left_ends_the_lines_and_not_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "BEAT", 0.001)
    is_told = threading.Event()

    def tick(_: Lines) -> None:
        is_told.set()
        raise BrokenPipeError

    monkeypatch.setattr(Lines, "tick", tick)
    with listening():
        assert is_told.wait(10)


@pytest.mark.parametrize("words", [["-q", "train"], ["train", "--quiet"]])
def test_quiet_training_tells_its_result_and_warnings_alone(
    words: list[str], rnn: Rnn, labelled_file: Path, tiny: dict[str, dict[str, object]]
) -> None:
    code, out, err = rnn(*words, "quick", *tiny_overrides(tiny, data__source=labelled_file, training__epochs=1))
    assert code == 0
    assert "Model  runs/quick-1" in out
    assert all(line.startswith("Warning: ") for line in err.splitlines())
    assert "training steps; try" in err


def test_quiet_scoring_of_files_tells_warnings_alone(rnn: Rnn, newest: Path, home: Path) -> None:
    (home / "texts.csv").write_text("text\na warm film\nzzz\n")
    words = ["score", "texts.csv", "--output", "scored.csv"]
    assert rnn(*words, "--quiet").err == "Warning: 1 text holds no word the model knows (no_known_words)\n"
    told = rnn(*words, "--force").err.splitlines()
    assert told[0].startswith("2 rows scored in ") and len(told) == 2
    assert "Error: " in rnn("score", "--quiet", "none.csv").err


@pytest.mark.parametrize("words", [["evaluate"], ["export", "--to", "out"], ["compare", "runs/quick-1", "runs/latest"]])
def test_quiet_leaves_what_was_asked_for(words: list[str], rnn: Rnn, newest: Path) -> None:
    plain, quiet = rnn(*words), rnn(*words, "-q", *(["--force"] if "export" in words else []))
    assert (quiet.code, quiet.out) == (0, plain.out)


def test_quiet_holds_on_a_terminal_too(labelled_file: Path) -> None:
    shown, (code, out, _) = on_a_terminal("data", "check", str(labelled_file), "--quiet", streams=["stderr"])
    assert (code, shown) == (0, "")
    assert "training rows" in out or "rows" in out


@pytest.mark.parametrize(
    ("words", "steps"),
    [
        (["evaluate", "--include-seen", "--data", "rows.csv"], ["scoring rows"]),
        (
            ["compare", "--include-seen", "--data", "rows.csv", "runs/quick-1", "runs/latest"],
            ["runs/quick-1: rows", "runs/latest: rows"],
        ),
    ],
)
def test_measuring_tells_how_many_rows_are_scored(
    words: list[str], steps: list[str], rnn: Rnn, newest: Path, labelled_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[str, int, int]] = []
    monkeypatch.setattr(Lines, "progress", lambda _, *told: heard.append(told))
    Path("rows.csv").write_bytes(labelled_file.read_bytes())
    assert rnn(*words).code == 0
    for step in steps:
        told = [(done, total) for what, done, total in heard if what.startswith(step)]
        assert told == sorted(told) and told[-1] == (80, 80)
