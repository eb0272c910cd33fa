"""The log: what is answered is on the disk, whatever happens then."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_cli.errors import DataError, UsageError, WriteError
from rnn_cli.labelling.answers import Answer, hold_log, log_of, read_log


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of two answers."""
    path = tmp_path / "a.labels.jsonl"
    with hold_log(path, "a.csv", 9, "f00d", ["x", "y"]) as held:
        held.add(do="label", row=4, label="x", chosen="spread", guess="y", shown=True, seconds=1.5)
        held.add(do="label", row=2, label="y", chosen="chance")
    return path


def test_a_log_says_again_what_was_answered(log: Path) -> None:
    head, answers = read_log(log)
    assert (head.source, head.rows, head.fingerprint, answers.labels) == ("a.csv", 9, "f00d", ["x", "y"])
    assert answers.steps == [Answer(4, "x", "spread", "y", True, 1.5), Answer(2, "y", "chance")]
    assert answers.labelled == {4: "x", 2: "y"}


def test_steps_are_taken_back_one_by_one_and_a_changed_label_comes_back(log: Path) -> None:
    with hold_log(log, "a.csv", 9, "f00d", []) as held:
        held.add(do="label", row=4, label="y", chosen="review")
        held.add(do="skip", row=7, chosen="unsure")
        assert held.answers.labelled == {4: "y", 2: "y"}
        held.add(do="undo")
        held.add(do="undo")
        assert held.answers.labelled == {4: "x", 2: "y"}
        for _ in range(5):
            held.add(do="undo")
    assert read_log(log)[1].steps == []
    assert log.read_text().count('"undo"') == 7  # nothing is ever removed


def test_new_labels_and_notes_stay(log: Path) -> None:
    with hold_log(log, "a.csv", 9, "f00d", ["y", "z"]) as held:
        held.add(do="note", row=4, note="odd")
        held.add(do="label", row=1, label="z", chosen="spread")
    _, answers = read_log(log)
    assert answers.labels == ["x", "y", "z"] and answers.notes == {4: "odd"} and answers.labelled[1] == "z"


@pytest.mark.parametrize("cut", range(1, 40, 7))
def test_a_last_line_that_was_cut_off_is_healed(cut: int, log: Path) -> None:
    before = log.read_bytes()
    log.write_bytes(before + b'{"do": "label", "row": 5, "label": "x", "chosen": ""}\n'[:cut])
    assert set(read_log(log)[1].labelled) == {4, 2}
    with hold_log(log, "a.csv", 9, "f00d", []) as held:
        held.add(do="label", row=6, label="x", chosen="")
    assert set(read_log(log)[1].labelled) == {4, 2, 6}


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"do": "label", "row": 1, "label": "none"}', '{"do": "dance"}', '{"row": 1}']
)
def test_a_line_that_is_no_step_is_named(line: str, log: Path) -> None:
    log.write_text(log.read_text() + line + "\n")
    with pytest.raises(DataError, match=r"a\.labels\.jsonl:5: is no step") as caught:
        read_log(log)
    assert caught.value.hint


@pytest.mark.parametrize("content", ["text,label\n", "{}\n", "[1]\n", '"a"\n'])
def test_another_file_is_no_log(content: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(content)
    with pytest.raises(DataError, match="is no log of labels"):
        read_log(tmp_path / "log")


def test_a_newer_log_is_refused(log: Path) -> None:
    log.write_text(log.read_text().replace('"format": 1', '"format": 3'))
    with pytest.raises(DataError, match="newer rnn"):
        read_log(log)


@pytest.mark.parametrize(("rows", "fingerprint"), [(8, "f00d"), (9, "beef")])
def test_changed_texts_are_refused_and_the_log_stays(rows: int, fingerprint: str, log: Path) -> None:
    before = log.read_bytes()
    with pytest.raises(DataError, match="not those that were labelled"), hold_log(log, "a.csv", rows, fingerprint, []):
        pass
    assert log.read_bytes() == before


def test_a_first_sitting_needs_labels_and_leaves_no_file_without(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no labels are named"), hold_log(tmp_path / "log", "a.csv", 9, "", []):
        pass
    assert not (tmp_path / "log").exists()


def test_a_second_sitting_is_told_the_others_process(log: Path) -> None:
    with (
        hold_log(log, "a.csv", 9, "f00d", []),
        pytest.raises(UsageError, match=f"process {os.getpid()} is labelling it.*--as NAME"),
        hold_log(log, "a.csv", 9, "f00d", []),
    ):
        pass
    with hold_log(log, "a.csv", 9, "f00d", []):  # it has been let go
        pass


def test_a_full_disk_leaves_the_log_as_it_was(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.write

    def full(handle: int, content: bytes) -> int:
        whole(handle, content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with hold_log(log, "a.csv", 9, "f00d", []) as held:
        before = log.read_bytes()
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            with pytest.raises(WriteError, match="no space left"):
                held.add(do="label", row=5, label="x", chosen="")
        assert log.read_bytes() == before and 5 not in held.answers.labelled
        held.add(do="label", row=5, label="x", chosen="")  # there is room again
    assert 5 in read_log(log)[1].labelled


def test_an_unfit_name_is_refused() -> None:
    assert str(log_of("d/a.csv", "ann")) == "d/a.csv.labels.ann.jsonl"
    for name in ("", "a/b", "..", "a b", "x" * 41):
        with pytest.raises(UsageError, match="--as"):
            log_of("a.csv", name)


WORKER = """
import sys
from pathlib import Path
from rnn_cli.labelling.answers import hold_log
with hold_log(Path(sys.argv[1]), "a.csv", 10**9, "f00d", ["x", "y"]) as held:
    row = len(held.answers.steps)
    while True:
        held.add(do="label", row=row, label="xy"[row % 2], chosen="spread")
        print(row, flush=True)
        row += 1
"""


def test_killed_at_any_point_no_answer_is_lost(tmp_path: Path) -> None:
    path, told = tmp_path / "log.jsonl", -1
    for kill in range(1, 9):
        with subprocess.Popen([sys.executable, "-c", WORKER, str(path)], stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout
            for _ in range(5 * kill):
                told = int(worker.stdout.readline())
            worker.send_signal(signal.SIGKILL)
            told = max([told, *map(int, worker.stdout.read().split())])
        _, answers = read_log(path)
        assert [each.row for each in answers.steps][: told + 1] == list(range(told + 1))
    assert all(json.loads(line) for line in path.read_text().splitlines())
