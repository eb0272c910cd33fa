"""A run under way: what of it survives faults and kills, who may work on it, how it is named and found."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rnn_cli import system
from rnn_cli.bundle import checkpoints, model_folder
from rnn_cli.bundle.checkpoints import (
    Checkpoint,
    Unfinished,
    beginning,
    check_begin,
    locate_unfinished,
    newest_checkpoint,
    reopened,
)
from rnn_cli.bundle.model_folder import Bundle, Manifest
from rnn_cli.bundle.writer import point_latest_to
from rnn_cli.errors import BundleError, WriteError

MANIFEST = Manifest(
    labels=("a", "b"),
    threshold=0.5,
    temperature=1.0,
    data={"fingerprint": "f", "rows": {"train": 3, "validation": 2, "test": 0}},
    versions={},
)
FILES = {"tokenizer.json": b"{}", "model.npz": bytes(range(200)), "optimizer.npz": bytes(range(100, 200))}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # the calls are counted; a thousand real ones take a minute


def begin(out: str | None = "m", saves: int = 1, *, name: str = "small", force: bool = False) -> Path:
    """A run that was left after so many checkpoints; its state is their number."""
    with beginning(out and Path(out), name=name, force=force) as place:
        for number in range(1, saves + 1):
            place.save({"number": number}, FILES)
    return place.path


def newest(path: Path) -> tuple[int, list[str]]:
    """The state that the run would go on from, and the warnings on the way."""
    warnings: list[str] = []
    with reopened(path, warnings.append) as (_, checkpoint):
        assert checkpoint.files == FILES
    return checkpoint.state["number"], warnings


def finish(place: Unfinished, text: str = "new") -> None:
    with place.draft() as draft:
        draft.write("tokenizer.json", text)
        draft.write("model.onnx", text * 50)
        draft.finish(MANIFEST)


def names(folder: str = ".") -> list[str]:
    return sorted(file.name for file in Path(folder).iterdir())


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


# Which checkpoints are kept, and which is taken


def test_the_newest_two_are_kept() -> None:
    path = begin(saves=5)
    assert names("m.unfinished") == ["checkpoint-000004", "checkpoint-000005", "lock"]
    assert newest(path) == (5, [])


def damages(checkpoint: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Every kind of damage to a checkpoint: the file it is told of, and what does it."""
    for file in sorted(checkpoint.iterdir()):
        content = file.read_bytes()
        for place in range(0, len(content) - 1, 7):  # a manifest's last line end is no part of its meaning
            flipped = content[:place] + bytes([content[place] ^ (1 << place % 8)]) + content[place + 1 :]
            yield file.name, partial(file.write_bytes, flipped)
        for length in (0, 1, len(content) // 2, len(content) - 2):
            yield file.name, partial(file.write_bytes, content[:length])
        yield file.name, file.unlink


def test_of_a_damaged_checkpoint_the_one_before_is_taken_with_a_word() -> None:
    path = begin(saves=3)
    kept = path.with_name("kept")
    shutil.copytree(path, kept)
    done = 0
    for name, damage in list(damages(path / "checkpoint-000003")):
        damage()
        number, warnings = newest(path)
        assert number == 2
        assert len(warnings) == 1 and warnings[0].endswith("; uses the checkpoint before it")
        assert warnings[0].startswith(f"m.unfinished/checkpoint-000003/{name}: ")
        assert names("m.unfinished") == ["checkpoint-000002", "lock"]
        shutil.rmtree(path)
        shutil.copytree(kept, path)
        done += 1
    assert done > 100
    assert newest(path) == (3, [])


def of_the_future(checkpoint: Path) -> None:
    content = json.loads((checkpoint / "manifest.json").read_text())
    content.pop("checksum")
    (checkpoint / "manifest.json").write_text(model_folder.sign({**content, "format_version": 99, "news": 1}))


def test_a_checkpoint_of_a_newer_release_is_passed_over() -> None:
    path = begin(saves=2)
    of_the_future(path / "checkpoint-000002")
    number, (warning,) = newest(path)
    assert number == 1
    assert "written by a newer rnn (format 99" in warning


def test_only_checkpoints_of_a_newer_release_ask_for_an_upgrade_and_stay() -> None:
    path = begin(saves=2)
    for checkpoint in path.glob("checkpoint-*"):
        of_the_future(checkpoint)
    before = tree(path)
    with pytest.raises(BundleError, match=r"^m.unfinished: holds no whole .* newer rnn .*; upgrade rnn-cli$"):
        newest(path)
    assert tree(path) == before


def test_no_whole_checkpoint_is_told_and_nothing_is_deleted() -> None:
    path = begin(saves=2)
    for checkpoint in path.glob("checkpoint-*"):
        (checkpoint / "model.npz").write_bytes(b"")
    with pytest.raises(
        BundleError, match=r"^m.unfinished: holds no whole .*checksum differs.*; delete it and train again"
    ):
        newest(path)
    assert [checkpoint.name for checkpoint in sorted(path.glob("checkpoint-*"))] == [
        "checkpoint-000001",
        "checkpoint-000002",
    ]


# The lock


HOLDER = """
import sys
from pathlib import Path
from rnn_cli.bundle import checkpoints
with checkpoints.reopened(Path(sys.argv[1]), print):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused_and_a_killed_one_lets_go() -> None:
    path = begin(saves=2)
    words = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout and holder.stdout.readline() == "held\n"
        with pytest.raises(BundleError, match="^m.unfinished: another process is training it$"):
            newest(path)
        with pytest.raises(BundleError, match="another process is training it"):
            begin("m", force=True)
        holder.kill()
        holder.wait()
    assert newest(path) == (2, [])


def test_a_disk_that_knows_no_locks_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(37, "No locks available")

    path = begin()
    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(WriteError, match="no locks available"):
        newest(path)


def test_a_run_that_ends_while_another_waits_takes_nothing_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with beginning(Path("m"), name="small", force=False) as first:
        first.save({"number": 1}, FILES)
        first.remove()
        second = beginning(Path("m"), name="small", force=False)
        second.__enter__()
    assert names("m.unfinished") == ["lock"]
    second.__exit__(None, None, None)
    assert names() == []


# Faults and kills at every call


class Killed(BaseException):
    """The process is gone: from here on nothing reaches the disk, whatever a `finally` tries."""


CALLS = [
    *((os, name) for name in ("open", "fsync", "mkdir", "rmdir", "unlink", "rename", "replace", "symlink")),
    (Path, "write_bytes"),
    (system, "_renameat2"),
]


class Faults:
    """Counts the calls that change the disk and makes the one of number `at` fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fault: BaseException, at: int) -> None:
        self.calls = 0
        self.fault, self.at = fault, at
        for module, name in CALLS:
            monkeypatch.setattr(module, name, self._counted(getattr(module, name), name))

    def _counted(self, real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            if name == "open" and arguments[1] & (os.O_NONBLOCK | os.O_CREAT) == os.O_NONBLOCK:
                return real(*arguments, **keywords)  # to be read
            self.calls += 1
            is_gone = isinstance(self.fault, Killed) and self.calls > self.at
            if self.calls == self.at and name == "write_bytes":  # half of it is written
                real(arguments[0], arguments[1][: len(arguments[1]) // 2])
            if self.calls == self.at or is_gone:
                raise self.fault
            return real(*arguments, **keywords)

        return call


FAULTS = [OSError(28, "No space left on device"), KeyboardInterrupt(), Killed()]


@contextmanager
def faulty(fault: BaseException, at: int) -> Iterator[Faults]:
    """Lets the fault of that number come; an OSError is told in one line or passed over, any other goes through."""
    with pytest.MonkeyPatch.context() as patch:
        faults = Faults(patch, fault, at)
        try:
            yield faults
        except WriteError as error:
            assert isinstance(fault, OSError)
            assert "no space left on device" in str(error) and "\n" not in str(error)
        except type(fault) as error:
            assert error is fault and not isinstance(fault, OSError), "an OSError must be told"


def each_fault(fault: BaseException, attempt: Callable[[int], Faults], least: int) -> int:
    """Makes every call fail in turn, until an attempt has fewer calls than that; answers how many there were."""
    for at in range(1, 1000):
        if attempt(at).calls < at:
            assert at > least, "too few calls were seen to be all"
            return at - 1
    raise AssertionError("it never passed")


def of_kind(fault: BaseException) -> str:
    return type(fault).__name__


@pytest.mark.parametrize("fault", FAULTS, ids=of_kind)
def test_a_fault_at_any_call_of_a_save_leaves_a_whole_checkpoint(fault: BaseException) -> None:
    path = begin(saves=3)

    def attempt(at: int) -> Faults:
        with reopened(path, pytest.fail) as (place, before):
            number = before.state["number"]
            with faulty(fault, at) as faults:
                place.save({"number": number + 1}, FILES)
        left, warnings = newest(path)  # without one damaged on the way
        assert left in (number, number + 1) and not warnings
        with reopened(path, pytest.fail) as (place, before):
            place.save({"number": left + 1}, FILES)
        assert newest(path) == (left + 1, [])
        assert len(names(str(path))) == checkpoints.KEPT + 1
        return faults

    each_fault(fault, attempt, least=25)


@pytest.mark.parametrize("in_one_step", [True, False], ids=["in one step", "in steps"])
@pytest.mark.parametrize("force", [False, True], ids=["new", "force"])
@pytest.mark.parametrize("fault", FAULTS, ids=of_kind)
def test_a_fault_at_any_call_of_finishing_leaves_an_old_or_a_new_bundle_and_a_run_to_go_on_with(
    fault: BaseException, force: bool, in_one_step: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not in_one_step:
        monkeypatch.setattr(system, "_renameat2", lambda new, old: False)

    def attempt(at: int) -> Faults:
        if force:
            with beginning(Path("m"), name="small", force=False) as place:
                finish(place, "old")
        path = begin("m", 2, force=force)
        with reopened(path, pytest.fail) as (place, _), faulty(fault, at) as faults:
            finish(place)
        stands = text_of("m")
        assert stands in ("new", "old" if force else None) or (stands is None and is_between_two_steps(path))
        assert newest(path) == (2, [])
        with reopened(path, pytest.fail) as (place, _):
            if stands != "new" or force:
                finish(place)
            point_latest_to(place.target)
            place.remove()
        assert text_of("m") == text_of("runs/latest") == "new"
        assert names() == ["m", "runs"] and not [name for name in names("runs") if name != "latest"]
        shutil.rmtree("m")
        shutil.rmtree("runs")
        return faults

    def is_between_two_steps(path: Path) -> bool:
        """Killed where the system cannot exchange folders: the old model stands in the run's folder, whole."""
        return isinstance(fault, Killed) and not in_one_step and text_of(str(path / "bundle.old")) == "old"

    each_fault(fault, attempt, least=15)


def text_of(path: str) -> str | None:
    """What the bundle's files hold, all of them the same; None without a bundle."""
    if not Path(path).exists():
        return None
    opened = Bundle.open(Path(path))
    text = opened.read("tokenizer.json").decode()
    assert opened.read("model.onnx").decode() == text * 50
    return text


@pytest.mark.parametrize("fault", FAULTS, ids=of_kind)
def test_a_fault_while_a_finished_run_is_cleared_away_leaves_a_whole_checkpoint_or_none(fault: BaseException) -> None:
    def attempt(at: int) -> Faults:
        path = begin("m", 3)
        with reopened(path, pytest.fail) as (place, _):
            finish(place)
            with faulty(fault, at) as faults:
                place.remove()
        if list(path.glob("checkpoint-*[0-9]")):
            assert newest(path)[1] == []
            with reopened(path, pytest.fail) as (place, _):
                place.remove()
        else:
            with pytest.raises(BundleError, match="^m: a finished model; rnn train --from m"):
                locate_unfinished(Path("m"))
            shutil.rmtree(path, ignore_errors=True)
        assert text_of("m") == "new"
        assert names() == ["m", "runs"]
        shutil.rmtree("m")
        return faults

    each_fault(fault, attempt, least=15)


# Names


def test_numbers_count_unfinished_runs_too() -> None:
    assert begin(None) == Path("runs/small-1.unfinished")
    assert begin(None) == Path("runs/small-2.unfinished")
    with beginning(None, name="small", force=False) as place:
        finish(place)
        place.remove()
    assert place.target == Path("runs/small-3") and text_of("runs/small-3") == "new"
    assert begin(None) == Path("runs/small-4.unfinished")


def test_a_name_with_wild_cards_is_only_a_name() -> None:
    assert begin(None, name="a[1]*") == Path("runs/a[1]*-1.unfinished")
    assert begin(None, name="a[1]*") == Path("runs/a[1]*-2.unfinished")


def test_two_runs_begun_at_once_get_different_numbers() -> None:
    begins = """
import sys
from rnn_cli.bundle import checkpoints
with checkpoints.beginning(None, name="small", force=False) as place:
    print(place.target, flush=True)
    sys.stdin.read()
"""
    words = [sys.executable, "-c", begins]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    several = [subprocess.Popen(words, **pipes, text=True) for _ in range(4)]
    told = [each.stdout.readline().strip() for each in several if each.stdout]
    for each in several:
        each.communicate()
    assert sorted(told) == [f"runs/small-{number}" for number in (1, 2, 3, 4)]
    # `runs` itself goes with the last of those that found none there.
    assert not Path("runs").exists() or names("runs") == []


def test_an_empty_place_that_came_meanwhile_is_taken_and_a_full_one_never() -> None:
    with beginning(None, name="small", force=False) as place:
        Path("runs/small-1").mkdir()
        Path("runs/small-1/letter.txt").write_text("dear")
        finish(place)
    assert text_of("runs/small-2") == "new"
    assert tree(Path("runs/small-1")) == {"letter.txt": b"dear"}


def test_an_unfinished_run_is_begun_anew_only_by_force() -> None:
    begin(saves=4)
    hint = r"go on with rnn train --resume m.unfinished, or begin again with force=True"
    with pytest.raises(BundleError, match=f"^m.unfinished: an unfinished run; {hint}$"):
        begin("m")
    with pytest.raises(BundleError, match="an unfinished run"):
        check_begin(Path("m"), force=False)
    assert newest(Path("m.unfinished")) == (4, [])
    with beginning(Path("m"), name="small", force=True) as place:
        assert newest_checkpoint(place.path, pytest.fail).state == {
            "number": 4
        }  # until there is something in its place
        place.begin({"number": 7}, {"model.npz": b"new"})
        assert [path.name for path in place.path.glob("checkpoint-*")] == ["checkpoint-000005"]
    assert names("m.unfinished") == ["checkpoint-000005", "lock"]


FOREIGN = ["notes.txt", "checkpoint-notes.txt", "bundle.old"]


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_folder_is_never_touched(name: str) -> None:
    Path("m.unfinished").mkdir()
    Path("m.unfinished", name).write_text("dear")
    for force in (False, True):
        with pytest.raises(BundleError, match="^m.unfinished: exists and is not an unfinished run; choose another"):
            begin("m", force=force)
    for named in ("m", "m.unfinished"):
        with pytest.raises(BundleError, match="^m.unfinished: holds no checkpoint"):
            newest(locate_unfinished(Path(named)))
    assert tree(Path("m.unfinished")) == {name: b"dear"}


def test_a_file_in_the_place_is_never_touched() -> None:
    Path("m.unfinished").write_text("dear")
    with pytest.raises(BundleError, match="exists and is not an unfinished run"):
        begin("m", force=True)
    with pytest.raises(BundleError, match="no such unfinished run"):
        locate_unfinished(Path("m"))
    assert Path("m.unfinished").read_text() == "dear"


def test_what_is_put_beside_the_checkpoints_outlives_the_run() -> None:
    with beginning(Path("m"), name="small", force=False) as place:
        place.save({"number": 1}, FILES)
        Path("m.unfinished/notes.txt").write_text("dear")
        finish(place)
        place.remove()
    assert names("m.unfinished") == ["notes.txt"]


def test_a_run_left_before_its_first_checkpoint_leaves_nothing() -> None:
    with pytest.raises(KeyboardInterrupt), beginning(Path("deep/er/m"), name="small", force=False):
        raise KeyboardInterrupt
    assert names("deep") == []
    with pytest.raises(KeyboardInterrupt), beginning(None, name="small", force=False):
        raise KeyboardInterrupt
    assert "runs" not in names()


def test_a_linked_place_is_the_one_it_leads_to() -> None:
    Path("far").mkdir()
    with beginning(Path("far/m"), name="small", force=False) as place:
        finish(place, "old")
        place.remove()
    Path("link").symlink_to("far/m")
    path = begin("link", 2, force=True)
    assert path == Path("far/m.unfinished").resolve()
    for named in ("link", "far/m", "far/m.unfinished"):
        assert locate_unfinished(Path(named)).resolve() == path
    with reopened(path, pytest.fail) as (place, _):
        finish(place)
        place.remove()
    assert Path("link").is_symlink() and text_of("far/m") == text_of("link") == "new"
    assert names("far") == ["m"]


# Which run to go on with


def test_the_run_to_go_on_with() -> None:
    with pytest.raises(BundleError, match=r"^no unfinished run in runs/; name one with resume=DIR$"):
        locate_unfinished(None)
    first, second = begin(None), begin(None, name="other")
    os.utime(first / "checkpoint-000001", (2e9, 2e9))
    assert locate_unfinished(None) == first
    os.utime(second / "checkpoint-000001", (3e9, 3e9))
    assert locate_unfinished(None) == second
    Path("runs/empty-1.unfinished").mkdir()
    assert locate_unfinished(None) == second

    begin("m")
    for named in ("m", "m.unfinished"):
        assert locate_unfinished(Path(named)) == Path("m.unfinished")
    with pytest.raises(
        BundleError,
        match="^n: no such unfinished run; .*ends in .unfinished; write a CONFIG before --resume$",
    ):
        locate_unfinished(Path("n"))


def test_a_finished_model_is_to_be_trained_further() -> None:
    with beginning(Path("m"), name="small", force=False) as place:
        finish(place)
        place.remove()
    with pytest.raises(BundleError, match="^m: a finished model; rnn train --from m trains it further on new rows$"):
        locate_unfinished(Path("m"))
    assert locate_unfinished(Path(begin("m", force=True))) == Path("m.unfinished")  # its replacement


def test_the_folder_one_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    path = begin("m").resolve()
    monkeypatch.chdir("m.unfinished")
    assert locate_unfinished(Path(".")) == path
    (path.parent / "m").mkdir()
    monkeypatch.chdir("../m")
    assert locate_unfinished(Path(".")) == path
    with pytest.raises(BundleError, match="no such unfinished run"):
        locate_unfinished(Path(".."))


def test_a_checkpoint_opens_as_it_was_written() -> None:
    checkpoint = Checkpoint.open(begin() / "checkpoint-000001")
    assert (checkpoint.state, checkpoint.options) == ({"number": 1}, {"force": False, "numbered": False})
    assert checkpoint.files == FILES
