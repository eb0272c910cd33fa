"""rnn label in a real terminal, and what it writes."""

import contextlib
import csv
import fcntl
import json
import os
import pty
import random
import re
import select
import shlex
import signal
import struct
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.cli.keys import END, Keyboard
from rnn_cli.cli.show_labelling import fill_lines, train_commands
from rnn_cli.config.schema import DataConfig
from rnn_cli.data.source import load_rows
from rnn_cli.kinds import LabelsKind
from rnn_cli.labelling.answers import MOST_LABELS, Answer, Answers
from rnn_cli.labelling.keys import keys_of
from rnn_cli.labelling.session import begin_session
from tests import warm
from tests.cli.conftest import Rnn
from tests.cli.test_main import SITTING, examples
from tests.labelling.conftest import made

ROWS = made(60)
READY = "q end"
"""The end of a screen."""


class Terminal:
    """A terminal in which a command runs, and what it shows."""

    def __init__(self, words: tuple[str, ...], columns: int, rows: int, room: int | None = None) -> None:
        self.ours, self.its = pty.openpty()
        fcntl.ioctl(self.its, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self.its)
        more = {"environment": {**os.environ, "TERM": "xterm"}, "leads": True, "room": room}
        self.child = warm.Child(warm.begin(), words, *[self.its] * 3, **more)
        self.seen = ""

    def until(self, awaited: str) -> str:
        """What is shown up to these words, without codes; fails if they do not come."""
        shown = b""
        while awaited not in (plain := _plain(shown)):
            assert select.select([self.ours], [], [], 60)[0], plain
            with contextlib.suppress(OSError):
                if read := os.read(self.ours, 65536):
                    shown += read
                    continue
            raise AssertionError(plain)
        self.seen += plain
        return plain

    def until_any(self, *awaited: str) -> str:
        """What is shown up to one of these words."""
        shown = b""
        while not any(each in _plain(shown) for each in awaited):
            assert select.select([self.ours], [], [], 60)[0], _plain(shown)
            shown += os.read(self.ours, 65536)
        self.seen += _plain(shown)
        return _plain(shown)

    def press(self, keys: str, awaited: str = READY) -> str:
        """What is shown after some keys, up to the awaited words."""
        os.write(self.ours, keys.encode())
        return self.until(awaited)

    def end(self) -> int:
        """The exit code, once the command has ended."""
        code = self.child.wait(60)
        while select.select([self.ours], [], [], 0.1)[0]:
            self.seen += _plain(os.read(self.ours, 65536))
        return code

    @property
    def is_as_before(self) -> bool:
        """Whether the terminal shows what is typed, in lines, as it did."""
        return termios.tcgetattr(self.its) == self.before


def _plain(shown: bytes) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode("utf-8", "ignore")).replace("\r", "")


@contextmanager
def terminal(*words: str, columns: int = 80, rows: int = 24, room: int | None = None) -> Iterator[Terminal]:
    """A terminal while the block runs; `room` is how many bytes a file may have."""
    found = Terminal(words, columns, rows, room)
    try:
        yield found
    finally:
        found.child.kill()
        found.child.wait()
        os.close(found.ours)
        os.close(found.its)


@pytest.fixture
def texts(home: Path) -> Path:
    """60 texts in a file with two other columns, one row of which is a copy."""
    rows = [f'{number},{text},"a, b"\n' for number, (text, _) in enumerate(ROWS)]
    (home / "texts.csv").write_text("id,text,more\n" + "".join(rows) + f"60,{ROWS[0][0].upper()},c\n")
    return home / "texts.csv"


START = ("label", "texts.csv", "--base", "none", "--labels", "good,bad")


def steps(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()][1:]


def test_a_sitting_from_the_first_text_to_the_file_of_labels(texts: Path, home: Path) -> None:
    with terminal(*START, "--out", "out.csv") as shown:
        first = shown.until(READY)
        assert "0 of 60 labelled" in first and "1 good   2 bad" in first
        assert "1 of 60 labelled" in shown.press("1")
        assert "2 of 60 labelled" in shown.press("2")
        assert "1 of 60 labelled" in shown.press("u")
        assert "1 skipped" in shown.press("s")
        assert "Why: one of its kind" in shown.press("?")
        assert "note: " in shown.press("n", "note: ")
        assert "note: no\u00efve" in shown.press("naïx\x7fve\x15noïve\n")
        assert "Guesses are shown" in shown.press("g")
        assert "3 so so" in (shown.press("+", "new label: "), shown.press("so so\n"))[1]
        assert "2 of 60 labelled" in shown.press("3")
        assert "open texts hold these words" in (shown.press("/", "search"), shown.press("lovely\n"))[1]
        assert "lovely" in shown.seen
        shown.press("q", "rnn train out.csv --set model.kind=linear")
        assert shown.end() == 0 and shown.is_as_before
    kinds = [each["do"] for each in steps(home / "texts.csv.labels.jsonl")]
    assert kinds == ["start", "label", "label", "undo", "skip", "note", "add", "label"]
    lines = (home / "out.csv").read_text().splitlines()
    assert lines[0] == "id,text,more,label" and len(lines) >= 3
    assert all(re.search(r',"a, b",(good|so so)$|,c,(good|so so)$', line) for line in lines[1:])
    assert [int(line.split(",")[0]) for line in lines[1:]] == sorted(int(line.split(",")[0]) for line in lines[1:])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_whatever_ends_it_the_terminal_and_the_answers_are_kept(
    number: signal.Signals, code: int, texts: Path, home: Path
) -> None:
    with terminal(*START) as shown:
        shown.until(READY)
        assert not shown.is_as_before
        shown.press("1")
        shown.child.send_signal(number)
        assert shown.end() == code and shown.is_as_before
        assert "Traceback" not in shown.seen
    assert [each["do"] for each in steps(home / "texts.csv.labels.jsonl")] == ["start", "label"]


def test_a_disk_without_room_ends_a_sitting_in_a_line_and_no_answer_is_lost(texts: Path, home: Path) -> None:
    with terminal(*START, room=900) as shown:
        screen, answers = shown.until(READY), 0
        while READY in screen:
            os.write(shown.ours, b"1")
            screen = shown.until_any(READY, "Error")
            answers += READY in screen
        assert shown.end() == 2 and shown.is_as_before
        assert "file too large" in shown.seen.lower() and "Traceback" not in shown.seen
    assert answers >= 2
    assert [each["do"] for each in steps(home / "texts.csv.labels.jsonl")] == ["start", *["label"] * answers]
    with terminal(*START) as shown:  # there is room again
        assert f"{answers} of 60 labelled" in shown.until(READY)


KILLS = 50


@pytest.mark.slow
def test_killed_at_any_moment_no_answer_is_lost_whose_next_text_stood(home: Path) -> None:
    rows = made(900)
    (home / "texts.csv").write_text("text\n" + "".join(f"{text}\n" for text, _ in rows))
    chance, given = random.Random(1), 0
    for _ in range(KILLS):
        with terminal(*START) as shown:
            assert f"{given} of 900 labelled" in shown.until(READY)
            for _ in range(chance.randrange(12)):
                shown.press("1")
                given += 1
            os.write(shown.ours, b"12" * chance.randrange(4))  # answers whose next text need not stand
            time.sleep(chance.random() / 20)
            shown.child.kill()
            shown.child.wait()
        before, log = given, home / "texts.csv.labels.jsonl"
        given = sum(line.endswith(b"}\n") and b'"do": "label"' in line for line in log.read_bytes().splitlines(True))
        assert given >= before


def test_a_second_sitting_is_told_the_process_of_the_first(texts: Path) -> None:
    with terminal(*START) as first:
        first.until(READY)
        with terminal(*START) as second:
            assert second.end() == 2
            told = " ".join(second.seen.split())
            assert f"texts.csv: process {first.child.pid} is labelling it" in told and "--as NAME" in told
        with terminal(*START, "--as", "ann") as another:
            another.until(READY)


def test_esc_and_the_arrow_keys_do_no_harm(texts: Path, home: Path) -> None:
    with terminal(*START) as shown:
        shown.until(READY)
        os.write(shown.ours, b"\x1b[A\x1bOB\x1b[15~9x")  # keys without a meaning here
        shown.press("n", "note: ")
        shown.press("lost\x1b")
        shown.press("1")
        shown.press("q", "Train")
        assert shown.end() == 0
    assert [each["do"] for each in steps(home / "texts.csv.labels.jsonl")] == ["start", "label"]


def test_no_screen_is_wider_than_its_terminal_and_a_long_text_has_pages(home: Path) -> None:
    long = " ".join(f"word{number}" for number in range(600)) + " " + "x" * 200 + " 日本語" * 40
    (home / "texts.csv").write_text(f'text\n"{long}"\n"\x1b[2J evil"\nplain one\n'.replace("\x1b", "\x1b"))
    with terminal(*START, columns=60, rows=20) as shown:
        screen = shown.until(READY)
        while "page 1 of" not in screen:
            screen = shown.press("1")
        assert "page 2 of" in shown.press(" ")
        shown.press("q", "Train")
        shown.end()
        assert max(map(len, shown.seen.partition("Train")[0].splitlines()[:-6])) <= 60


def test_without_a_terminal_it_says_so_at_once(texts: Path, rnn: Rnn) -> None:
    ended = rnn(*START)
    assert (
        ended.code == 2
        and "texts are labelled in a terminal" in ended.err
        and "rnn label status texts.csv" in ended.err
    )
    assert not Path("texts.csv.labels.jsonl").exists()


LOG = [
    {"format": 1, "source": "texts.csv", "rows": 61, "labels": ["good", "bad"]},
    {"do": "label", "row": 3, "label": "bad", "chosen": "spread", "guess": "bad"},
    {"do": "label", "row": 0, "label": "good", "chosen": "chance", "guess": "bad"},
    {"do": "skip", "row": 5, "chosen": "spread"},
    {"do": "note", "row": 5, "note": "what is this?"},
]


@pytest.fixture
def log(texts: Path) -> Path:
    """A log of two labels and a skipped text."""
    from rnn_cli.labelling.texts import read_pool

    LOG[0]["fingerprint"] = read_pool("texts.csv", DataConfig()).fingerprint
    path = Path("texts.csv.labels.jsonl")
    path.write_text("".join(json.dumps(line) + "\n" for line in LOG))
    return path


def test_status_says_how_far_it_is(log: Path, rnn: Rnn) -> None:
    shown = rnn("label", "status", "texts.csv")
    assert shown.code == 0 and "2 of 61 rows labelled, 1 skipped" in shown.out
    assert (
        "guesses right: 50% (95% interval 3% to 97%) of the last 2, unseen" in shown.out
        and "note on row 6: what is this?" in shown.out
    )
    found = json.loads(rnn("label", "status", "texts.csv", "--json").out)
    assert found["labels"] == {"good": 1, "bad": 1} and found["guesses_right_by_chance"]["share"] == 0
    none = rnn("label", "status", "texts.csv", "--as", "bob")
    assert none.code == 2 and "texts.csv.labels.bob.jsonl" in none.err


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "out.jsonl"])
def test_export_keeps_all_columns_in_order_and_labels_copies(name: str, log: Path, rnn: Rnn) -> None:
    ended = rnn("label", "export", "texts.csv", "--out", name)
    assert ended.code == 0 and "3 rows with labels" in ended.out
    assert f" rnn train {name} --set model.kind=linear\n" in ended.out
    content = Path(name).read_text()
    if name == "out.jsonl":
        rows = [json.loads(line) for line in content.splitlines()]
        assert rows[1] == {"id": "3", "text": ROWS[3][0], "more": "a, b", "label": "bad"}
        assert [row["id"] for row in rows] == ["0", "3", "60"] and rows[2]["label"] == "good"
    else:
        assert content.splitlines()[0].replace("\t", ",") == "id,text,more,label"
        assert len(content.splitlines()) == 4
    again = rnn("label", "export", "texts.csv", "--out", name)
    assert again.code == 2 and "--force" in again.err
    assert rnn("label", "export", "texts.csv", "--out", name, "--force").code == 0


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "out.jsonl"])
def test_what_export_writes_is_read_again_as_it_was(name: str, home: Path, rnn: Rnn) -> None:
    texts = ["a\rlone return", "two\r\nlines", 'a "quote", a comma', "a\ttab", " spaces ", "warm"]
    with (home / "odd.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\r\n").writerows([["text"], *([text] for text in texts)])
    with begin_session("odd.csv", ["good", "bad"], base=None) as session:
        for _ in texts:
            session.label("bad")
    assert rnn("label", "export", "odd.csv", "--out", name).code == 0
    rows = load_rows(name, DataConfig(source=name))
    assert list(rows.texts) == texts and set(rows.labels) == {"bad"}


def test_export_refuses_what_it_cannot_write(log: Path, rnn: Rnn) -> None:
    for words, said in {
        ("--out", "out.parquet"): ".csv, .tsv or .jsonl",
        ("--out", "texts.csv", "--force"): "is the input",
        ("--out", "out.csv", "--label-column", "more"): "--label-column",
    }.items():
        ended = rnn("label", "export", "texts.csv", *words)
        assert ended.code == 2 and said in ended.err and "Traceback" not in ended.err
    Path("texts.csv").write_text("text\nwarm\ndull\n")
    ended = rnn("label", "export", "texts.csv", "--out", "out.csv")
    assert ended.code == 2 and "not those that were labelled" in ended.err and not Path("out.csv").exists()


def test_lines_of_a_text_file_are_written_as_rows(home: Path, rnn: Rnn) -> None:
    (home / "a.txt").write_text("a warm film\n\na dull film\n")
    with terminal("label", "a.txt", "--base", "none", "--labels", "good,bad", "--out", "o.csv") as shown:
        shown.until(READY)
        shown.press("1")
        shown.press("1", "All texts are answered")
        shown.press("q", "Train")
        assert shown.end() == 0
    assert (home / "o.csv").read_text() == "text,label\na warm film,good\na dull film,good\n"


def test_keys_and_lines() -> None:
    assert list(keys_of([str(each) for each in range(12)])) == [*"123456789abc"]
    assert not {"u", "s", "n", "q", "g"} & set(keys_of([str(each) for each in range(99)]))
    assert fill_lines("a bb  ccc", 4) == ["a bb", "ccc"]
    assert fill_lines("日本語", 4) == ["日本", "語"]


def test_agree_says_how_far_two_people_agree(log: Path, rnn: Rnn) -> None:
    words = log.read_text().replace('"label": "bad", "chosen"', '"label": "good", "chosen"')
    Path("texts.csv.labels.bob.jsonl").write_text(words)
    shown = rnn("label", "agree", "texts.csv", "--as", "bob")
    assert shown.code == 0 and "alike: 50%" in shown.out and f"row 4: good, bad: {ROWS[3][0]}" in shown.out
    assert "Krippendorff's alpha: 0.00 (too few texts for an interval)" in shown.out
    found = json.loads(rnn("label", "agree", "texts.csv", "--as", "bob", "--json").out)
    assert found["texts"] == 2 and found["differ"] == [{"row": 3, "labels": ["good", "bad"]}]
    for people in ((), ("--as", "a", "--as", "b", "--as", "c")):
        assert rnn("label", "agree", "texts.csv", *people).code == 2


def labelled(count: int, kind: LabelsKind = "single") -> Answers:
    """So many rows with labels."""
    answers = Answers([*"12"], kind)
    answers.steps += [Answer(row, "1", "", None, False, 1.0) for row in range(count)]
    return answers


def test_the_commands_typed_out_fit_base_labels_and_texts_and_how_the_files_are_written() -> None:
    alone, linear, taught = (
        "rnn train o.csv",
        "rnn train o.csv --set model.kind=linear",
        "rnn train o.csv --unlabelled t.csv",
    )
    on_base = "rnn train few-labels --set data.source=o.csv"
    few, many = labelled(99), labelled(2_000)
    assert train_commands("o.csv", "t.csv", {}, None, few, 9_999) == [linear, alone]
    assert train_commands("o.csv", "t.csv", {}, "general", few, 9_999) == [on_base, linear]
    assert train_commands("o.csv", "t.csv", {}, "general", few, 10_000) == [on_base, taught]
    assert train_commands("o.csv", "t.csv", {"--as": "ann"}, None, few, 10_000) == [taught, linear]
    assert train_commands("o.csv", "t.csv", {"--delimiter": "';'"}, None, few, 10_000) == [linear, alone]
    assert train_commands("o.csv", "t.csv", {}, "general", many, 10_000) == [alone, taught]
    assert train_commands("o.csv", "t.csv", {}, "general", many, 9_999) == [alone, on_base]
    on_named, linear_too = train_commands("o.csv", "t.csv", {"--text-column": "body"}, "m", few, 99)
    assert on_named == f"{on_base} --set model.base=m --text-column body"
    assert linear_too == f"{alone} --text-column body --set model.kind=linear"
    ordered = train_commands("o.csv", "t.csv", {}, "general", labelled(99, "ordered"), 10_000)
    assert ordered == [f"{alone} --set data.labels=ordered"]


@pytest.mark.parametrize("example", [each for each in examples() if SITTING.match(each) and "--page" not in each])
def test_every_example_sits(example: str, texts: Path) -> None:
    lines = texts.read_text().splitlines()
    for name in ("reviews.csv", "mails.csv"):
        Path(name).write_text("\n".join(lines) + "\n")
    for by in (None, "ann"):  # what an example without --labels goes on with
        with begin_session("reviews.csv", ["positive", "negative"], by=by, base=None) as session:
            session.label("positive")
    with terminal(*shlex.split(example)[1:]) as shown:
        shown.until(READY)
        shown.press("q", "Train")
        assert shown.end() == 0


def test_labels_that_a_log_does_not_know_are_told(log: Path) -> None:
    with terminal(*START[:-1], "good,bad,odd") as shown:
        assert "New labels, by --labels: odd." in shown.until(READY)
        assert "3 odd" in shown.press("?")
    with terminal(*START[:-1], "good") as shown:
        assert "New labels" not in shown.until(READY)


def test_more_labels_than_keys_leave_nothing_behind(log: Path) -> None:
    many, before = ",".join(f"label{number}" for number in range(29)), log.read_bytes()
    assert len(keys_of([str(each) for each in range(99)])) == MOST_LABELS
    for name in ("texts.csv", "other.csv"):
        Path(name).write_bytes(Path("texts.csv").read_bytes())
        with terminal(
            "label", name, "--base", "none", "--labels", many + (",good,bad" * (name != "texts.csv"))
        ) as shown:
            assert "31 labels are more than there are keys (30)" in shown.until("two passes")
            assert shown.end() == 2
    assert log.read_bytes() == before and not Path("other.csv.labels.jsonl").exists()


def test_a_label_that_a_terminal_must_not_get_is_refused(texts: Path) -> None:
    with terminal(*START[:-1], "good,\x1b[2Jbad") as shown:
        assert "characters that cannot be shown" in shown.until("shown")
        assert shown.end() == 2
    assert not Path("texts.csv.labels.jsonl").exists()


@pytest.mark.parametrize("typed", ["\x1b[", "\x1b", "\x1bO", "\xe4\xb8", "n", "nab", "/warm", "+x"])
def test_the_end_of_the_input_ends_a_sitting_wherever_it_comes(typed: str) -> None:
    read, write = os.pipe()
    os.write(write, typed.encode("latin-1"))
    os.close(write)
    keys = Keyboard.__new__(Keyboard)
    keys._descriptor = read
    pressed = []
    while (key := keys.key()) != END:
        pressed.append(key)
        if key in "n/+" and key:
            assert keys.line("") is None
    assert len(pressed) <= 1
    os.close(read)


def test_a_narrow_terminal_is_enough(texts: Path) -> None:
    with terminal(*START, columns=20, rows=8) as shown:
        shown.until(READY)
        shown.press("1")
        shown.press("q", "Train")
        assert shown.end() == 0


@pytest.fixture
def doubtful_log(log: Path) -> set[int]:
    """A log of 60 labels, five of them wrong; the rows of these."""
    wrong = {4, 17, 30, 41, 55}
    other = {"good": "bad", "bad": "good"}
    labels = [other[label] if row in wrong else label for row, (_, label) in enumerate(ROWS)]
    lines = [LOG[0], *({"do": "label", "row": row, "label": label} for row, label in enumerate(labels))]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return wrong


def test_several_labels_a_text_are_toggled_and_confirmed(texts: Path, home: Path, rnn: Rnn) -> None:
    words = ("label", "texts.csv", "--base", "none", "--labels", "film,plot,cast", "--several", "--out", "out.csv")
    with terminal(*words) as shown:
        assert "1 [ ] film   2 [ ] plot   3 [ ] cast   Enter: none" in shown.until(READY)
        assert "1 [x] film   2 [ ] plot   3 [x] cast   Enter: film, cast" in (shown.press("3"), shown.press("1"))[1]
        assert "0 of 60 labelled" in shown.seen and "[ ] film" in (shown.press("1"), shown.press("\n"))[1]
        assert "2 of 60 labelled" in shown.press("\n")
        assert "1 of 60 labelled" in shown.press("u")
        shown.press("2")
        assert "[ ] plot" in shown.press("s")  # another text stands
        shown.press("1")
        shown.press("2")
        shown.press("\n")
        shown.press("\n")
        shown.press("q", "rnn train out.csv --set data.labels=several")
        assert shown.end() == 0
    given = [each["label"] for each in steps(home / "texts.csv.labels.jsonl") if each["do"] == "label"]
    assert given == [["cast"], [], ["film", "plot"], []]
    lines = [line.partition('"a, b"')[2] or line for line in (home / "out.csv").read_text().splitlines()]
    assert sorted(lines[1:])[:1] and {',"[""film"", ""plot""]"', ",[]"} <= set(lines)
    assert "none of them: 1" in rnn("label", "status", "texts.csv").out
    with terminal(*START[:-2], "--ordered") as shown:
        assert "was begun with --several" in shown.until("--as NAME")
        assert shown.end() == 2


def test_labels_with_an_order_are_three_or_more_and_fixed(texts: Path) -> None:
    with terminal(*START, "--ordered") as shown:
        assert shown.end() == 2 and "are 3 or more" in shown.seen
    with terminal(*START[:-1], "low,middle,high", "--ordered") as shown:
        shown.until(READY)
        shown.press("1")
        shown.press("+", "new label: ")
        assert "An order of labels is fixed" in shown.press("top\n")
        shown.press("q", "Train")
        assert shown.end() == 0
        wanted = """rnn train labelled.csv --set data.labels=ordered --set 'data.order=["low", "middle", "high"]'"""
        assert wanted in " ".join(shown.seen.split())


REVIEW = ("label", "review", "texts.csv", "--base", "none")


def test_labels_that_are_likely_wrong_are_listed_in_a_pipe(doubtful_log: set[int], rnn: Rnn) -> None:
    before = Path("texts.csv.labels.jsonl").read_bytes()
    found = json.loads(rnn(*REVIEW, "--json").out)
    assert {each["row"] for each in found} >= doubtful_log and found[0]["text"] == ROWS[found[0]["row"]][0]
    listed = rnn(*REVIEW)
    assert listed.code == 0 and len(listed.out.splitlines()) == len(found)
    assert f"row {found[0]['row'] + 1}: " in listed.out.splitlines()[0]
    assert Path("texts.csv.labels.jsonl").read_bytes() == before


def test_labels_are_kept_or_changed_one_by_one(doubtful_log: set[int], rnn: Rnn) -> None:
    first, second, *rest = json.loads(rnn(*REVIEW, "--json").out)
    end, key = "q end", {"good": "1", "bad": "2"}
    with terminal(*REVIEW) as shown:
        screen = shown.until(end)
        assert f"label 1 of {len(rest) + 2} that are doubted" in screen and f"row {first['row'] + 1}\n" in screen
        assert f"the model says: {first['suggested']}" in screen and "Most like it where" in screen
        assert "label 2 of" in shown.press(key[first["suggested"]], end)
        assert "label 1 of" in shown.press("u", end)
        assert "nothing to take back" in shown.press("u", end)
        shown.press(key[first["suggested"]], end)
        assert "label 3 of" in shown.press("\n", end) or not rest
        shown.press("q", "1 labels kept, 1 changed")
        assert shown.end() == 0 and shown.is_as_before
    again = json.loads(rnn(*REVIEW, "--json").out)
    assert not {first["row"], second["row"]} & {each["row"] for each in again}
    taken = steps(Path("texts.csv.labels.jsonl"))[60:]
    assert [each["do"] for each in taken] == ["start", "label", "undo", "label", "label"]
    assert taken[-1]["label"] == second["label"] and taken[-1]["reviewed"]
    with terminal(*REVIEW) as shown:
        shown.until(end)
        for _ in again:
            shown.press("\n", end)
        assert "All are looked at" in shown.seen
        shown.press("q", "changed")
    assert rnn(*REVIEW).out.startswith("No label is doubted")


def test_too_few_labels_are_not_reviewed(log: Path, rnn: Rnn) -> None:
    ended = rnn(*REVIEW)
    assert ended.code == 2 and "good 1, bad 1" in ended.err and "label more first" in ended.err
    assert rnn(*REVIEW, "--as", "bob").code == 2
