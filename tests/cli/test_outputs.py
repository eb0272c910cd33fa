"""Whether an output may be written: the same cases, words and codes for every command that writes one."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from rnn_cli.bundle.targets import REPORT_MARK

from .conftest import Rnn


class Command(NamedTuple):
    """A command without its output, the option that names it, an output's name, and what an earlier one may hold."""

    words: Sequence[str]
    option: str
    name: str
    earlier: str = ""
    input: str | None = None


FILES = {
    "init": Command(["init", "in.yaml", "--set", "data.format=csv"], "--out", "out.yaml", input="in.yaml"),
    "data check": Command(["data", "check", "in.csv"], "--out", "out.csv", input="in.csv"),
    "score": Command(["score", "in.csv", "--prefix", "p_"], "--output", "out.csv", input="in.csv"),
    "score rejects": Command(
        ["score", "bad.csv", "--prefix", "p_", "--on-bad-row", "skip"], "--rejects", "out.jsonl", input="bad.csv"
    ),
    "score rejects of a file": Command(
        ["score", "bad.csv", "--output", "o.csv", "--on-bad-row", "skip", "--prefix", "p_"],
        *("--rejects", "out.jsonl"),
        input="bad.csv",
    ),
    "evaluate": Command(["evaluate"], "--report", "out.html", f"<html>{REPORT_MARK}"),
    "inspect reading": Command(["inspect", "reading", "a warm film"], "--out", "out.svg"),
    "inspect gradients": Command(["inspect", "gradients", "--set", "data.source=in.csv"], "--out", "out.png"),
}

FOLDERS = {
    "evaluate": Command(["evaluate"], "--plots", "out", "roc.png"),
    "inspect embedding": Command(["inspect", "embedding"], "--out", "out", "tensors.tsv"),
    "export": Command(["export", "--model", "runs/quick-1"], "--to", "out", "a model"),
    "train": Command(["train", "quick", "--set", "data.source=in.csv"], "--out", "out", "a model"),
    "score": Command(["score", "in.csv", "--prefix", "p_"], "--output", "out/"),
}
SLOW = {"inspect gradients", "train"}
"""Of these only what is refused is tried."""

EXISTS = "exists; use --force to replace it, or choose another {option}"

each_file = pytest.mark.parametrize("name", FILES)
each_folder = pytest.mark.parametrize("name", FOLDERS)
each_command = pytest.mark.parametrize(
    "command", [*FILES.values(), *FOLDERS.values()], ids=[*FILES, *(f"{each}/" for each in FOLDERS)]
)


@pytest.fixture(autouse=True)
def inputs(home: Path, newest: Path, labelled_file: Path) -> None:
    for name in ("in.csv", "in.yaml", "bad.csv"):
        (home / name).write_text(labelled_file.read_text() + "a,row,of,many\n" * (name == "bad.csv"))
    (home / "file").write_text("mine")


def everything(home: Path) -> dict[str, object]:
    """All that is below a folder: what links name, and what files hold."""
    found = {}
    for path in home.rglob("*"):
        link = os.readlink(path) if path.is_symlink() else None
        found[str(path)] = link or (path.read_bytes() if path.is_file() else path.stat().st_ino)
    return found


def refused(rnn: Rnn, home: Path, command: Command, out: str, error: str, *more: str) -> None:
    """It ends with 2 and this line, and nothing has changed."""
    before = everything(home)
    code, shown, err = rnn(*command.words, command.option, out, *more)
    assert (code, shown, err) == (2, "", f"Error: {error.format(option=command.option)}\n")
    assert everything(home) == before


@each_file
def test_an_existing_file_is_replaced_by_force_alone(name: str, rnn: Rnn, home: Path) -> None:
    command = FILES[name]
    out = home / command.name
    out.write_text(command.earlier)
    refused(
        rnn, home, command, out.name, f"{out.name}: exists; use --force to replace it, or choose another {{option}}"
    )
    if name not in SLOW:
        assert rnn(*command.words, command.option, out.name, "--force").code == 0
        assert out.read_text() not in ("", command.earlier)


@each_file
def test_a_link_to_nothing_is_not_replaced_unasked(name: str, rnn: Rnn, home: Path) -> None:
    command = FILES[name]
    (home / command.name).symlink_to("nowhere")
    kind = "is not a report; choose another {option}"
    error = (
        f"exists and {kind}" if name == "evaluate" else "exists; use --force to replace it, or choose another {option}"
    )
    refused(rnn, home, command, command.name, f"{command.name}: {error}")


@each_file
def test_a_folder_is_not_a_file(name: str, rnn: Rnn, home: Path) -> None:
    command = FILES[name]
    (home / command.name).mkdir()
    if name == "score":  # rows go to a folder, too
        (home / command.name / "mine").write_text("mine")
        refused(rnn, home, command, command.name, "out.csv: holds other files; name a new folder", "--force")
        return
    for more in ([], ["--force"]):
        refused(rnn, home, command, command.name, f"{command.name}: is a folder; name a file in it", *more)


@each_file
def test_the_folder_of_a_file_must_be_there(name: str, rnn: Rnn, home: Path) -> None:
    command = FILES[name]
    for more in ([], ["--force"]):
        refused(rnn, home, command, f"no/{command.name}", "no: no such folder; make it first", *more)
        refused(rnn, home, command, f"file/{command.name}", "file: is not a folder; choose another {option}", *more)
        refused(rnn, home, command, f"file/a/{command.name}", "file: is not a folder; choose another {option}", *more)


@each_file
def test_a_pipe_is_not_replaced_by_a_file(name: str, rnn: Rnn, home: Path) -> None:
    command = FILES[name]
    os.mkfifo(home / command.name)
    refused(rnn, home, command, command.name, f"{command.name}: is not a file; choose another {{option}}", "--force")


@pytest.mark.parametrize("name", [name for name, command in FILES.items() if command.input])
def test_the_input_is_never_replaced(name: str, rnn: Rnn, home: Path) -> None:
    command = FILES[name]
    assert command.input is not None
    (home / f"link-{command.name}").symlink_to(command.input)
    (home / f"hard-{command.name}").hardlink_to(home / command.input)
    (home / "here").symlink_to(".")
    for out in (command.input, f"here/{command.input}", f"link-{command.name}", f"hard-{command.name}"):
        for more in ([], ["--force"]):
            refused(rnn, home, command, out, f"{out}: is the input; choose another {{option}}", *more)


def test_a_file_of_a_config_is_not_replaced_by_what_is_found_in_it(rnn: Rnn, home: Path) -> None:
    (home / "c.yaml").write_text("data: {source: in.yaml, format: csv}\n")
    command = Command(["data", "check", "c.yaml"], "--out", "")
    for out in ("c.yaml", "in.yaml"):
        refused(rnn, home, command, out, f"{out}: is the input; choose another {{option}}", "--force")


@each_folder
def test_a_file_is_not_a_folder(name: str, rnn: Rnn, home: Path) -> None:
    command = FOLDERS[name]
    (home / "link").symlink_to("nowhere")
    end = "/" if command.name.endswith("/") else ""
    for more in ([], ["--force"]):
        for out in ("file", "link"):
            refused(rnn, home, command, out + end, f"{out}: is not a folder; choose another {{option}}", *more)
        for out in ("file/out", "file/a/out"):
            refused(rnn, home, command, out + end, "file: is not a folder; choose another {option}", *more)


@pytest.mark.parametrize("name", [name for name, command in FOLDERS.items() if command.earlier])
def test_an_existing_folder_is_replaced_by_force_alone_and_if_nothing_is_lost(
    name: str, rnn: Rnn, home: Path, trained: Path
) -> None:
    command, out = FOLDERS[name], home / "out"
    if command.earlier == "a model":
        shutil.copytree(trained, out)
    else:
        out.mkdir()
        (out / command.earlier).write_text("old")
    (out / "a-note.txt").write_text("mine")
    for more in ([], ["--force"]):
        error = "out: holds a-note.txt, which would be lost; move it, or choose another {option}"
        refused(rnn, home, command, "out", error, *more)
    (out / "a-note.txt").unlink()
    refused(rnn, home, command, "out", f"out: {EXISTS}")
    before = everything(out)
    if name not in SLOW:
        assert rnn(*command.words, command.option, "out", "--force").code == 0
        assert everything(out) != before


@pytest.mark.parametrize("name", sorted(set(FOLDERS) - SLOW))
def test_folders_above_a_folder_are_made(name: str, rnn: Rnn, home: Path) -> None:
    command = FOLDERS[name]
    assert rnn(*command.words, command.option, f"new/deep/{command.name}").code == 0
    assert any((home / "new" / "deep" / "out").iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
@pytest.mark.parametrize(
    "command", [*FILES.values(), *FOLDERS.values()], ids=[*FILES, *(f"{each}/" for each in FOLDERS)]
)
def test_a_folder_that_cannot_be_written_to(command: Command, rnn: Rnn, home: Path) -> None:
    (home / "locked").mkdir(mode=0o555)
    error = "locked: you have no permission to write there; choose another {option}"
    refused(rnn, home, command, f"locked/{command.name}", error)


@pytest.mark.parametrize(
    "command", [*FILES.values(), *FOLDERS.values()], ids=[*FILES, *(f"{each}/" for each in FOLDERS)]
)
def test_the_permission_is_asked_of_the_system(
    command: Command, rnn: Rnn, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "locked").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "locked")
    error = "locked: you have no permission to write there; choose another {option}"
    refused(rnn, home, command, f"locked/{command.name}", error)


@pytest.mark.parametrize(
    "command", [*FILES.values(), *FOLDERS.values()], ids=[*FILES, *(f"{each}/" for each in FOLDERS)]
)
def test_a_name_that_no_file_can_have(command: Command, rnn: Rnn, home: Path) -> None:
    out = "a" * 300 + command.name
    error = f"{out.rstrip('/')}: cannot be written (file name too long); make room there or choose another {{option}}"
    refused(rnn, home, command, out, error)
