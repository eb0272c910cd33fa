"""`rnn runs`: what is listed, what is told of what is no run, and what is removed."""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.bundle.checkpoints import LOCK_FILE, write_checkpoint
from rnn_cli.config.load import load_config, parse_override, to_yaml
from tests.forge import Forged

from .conftest import Rnn, files_below, on_a_terminal, tiny_overrides

Copy = Callable[..., Path]
STATE = {"standing": {"history": [{}, {}], "epoch": {"batches": 1_200}}, "recipe": "quick", "seconds": 90.0}
"""What a checkpoint tells of a run in its third epoch."""


@pytest.fixture
def copy(trained: Path, home: Path) -> Copy:
    """Makes a run of this name in runs/, as if it had been told of it that it was so."""

    def make(name: str, *, accuracy: float = 0.75, **run: Any) -> Path:
        forged = Forged(trained, home / "runs" / name)
        metrics = json.loads((forged.path / "metrics.json").read_text())
        metrics["test"]["accuracy"] = accuracy
        forged.write("metrics.json", json.dumps(metrics))
        data = forged.manifest["data"]
        forged.sign(data=data | {"run": data["run"] | run})
        return forged.path

    return make


def unfinished(path: Path, **state: Any) -> Path:
    path.mkdir(parents=True)
    told = STATE | {"config": to_yaml(load_config("quick", [parse_override("data.source=sample")]))} | state
    write_checkpoint(path, {"force": False, "numbered": True}, told, {"model.npz": b"x" * 1_000_000})
    return path


def rewritten(run: Path, metrics: str) -> None:
    """The run with other figures, signed."""
    Forged(run, run.with_name(".forged")).write("metrics.json", metrics)
    shutil.rmtree(run)
    run.with_name(".forged").rename(run)


def listed(rnn: Rnn, *words: str) -> dict[str, Any]:
    code, out, err = rnn("runs", *words, "--json")
    assert (code, err) == (0, "")
    return {run["name"]: run for run in json.loads(out)}


def test_a_run_is_told_with_its_figures_and_the_linear_model_s(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: dict[str, dict[str, object]]
) -> None:
    assert rnn("train", "quick", *tiny_overrides(tiny, data__source=labelled_file, training__epochs=2)).code == 0
    run = listed(rnn)["quick-1"]
    metrics = json.loads((home / "runs/quick-1/metrics.json").read_text())
    linear = metrics["baseline"]["test"]
    assert (run["accuracy"], run["accuracy_interval"]) == (
        metrics["test"]["accuracy"],
        metrics["test"]["intervals"]["accuracy"],
    )
    assert (run["baseline_accuracy"], run["baseline_accuracy_interval"]) == (
        linear["accuracy"],
        linear["intervals"]["accuracy"],
    )
    assert (run["state"], run["latest"], run["recipe"], run["data"]) == ("finished", True, "quick", "reviews.csv")
    assert run["rows"] == {"train": 48, "validation": 16, "test": 16}
    assert run["bytes"] == sum(map(len, files_below(home / "runs/quick-1").values()))
    assert 0 < run["seconds"] < 300
    out = rnn("runs").out
    (line,) = (line for line in out.splitlines() if line.startswith("quick-1 *"))
    assert line.split()[2:6] == ["quick", "reviews.csv", "80", f"{run['accuracy']:.1%}"]
    assert f"  {linear['accuracy']:.1%}  " in line
    assert "\x1b" not in out


def test_a_run_of_an_older_release_has_dashes_for_what_it_did_not_note(rnn: Rnn, copy: Copy) -> None:
    path = copy("old-1")
    forged = Forged(path, path.with_name("old-2"))
    forged.sign(data={name: value for name, value in forged.manifest["data"].items() if name != "run"})
    found = listed(rnn)["old-2"]
    assert (found["state"], found["recipe"], found["seconds"]) == ("finished", None, None)
    (line,) = (line for line in rnn("runs").out.splitlines() if line.startswith("old-2 "))
    assert line.split()[1:3] == ["*", "-"] and line.split()[-2] == "-"  # the newest, as nothing is the latest


def test_an_unfinished_run_says_how_far_it_is(rnn: Rnn, home: Path) -> None:
    path = unfinished(home / "runs" / "quick-1.unfinished")
    found = listed(rnn)["quick-1.unfinished"]
    assert (found["state"], found["data"], found["recipe"]) == ("unfinished", "sample", "quick")
    assert found["status"] == "stopped in epoch 3 of 4, 1,200 batches done"
    assert found["bytes"] > 1_000_000 and found["accuracy"] is None
    with (path / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert listed(rnn)["quick-1.unfinished"]["status"] == "under way in epoch 3 of 4, 1,200 batches done"
    (path / "failed").write_text("the loss is nan at epoch 3")
    told = "failed in epoch 3 of 4, 1,200 batches done: the loss is nan at epoch 3"
    assert listed(rnn)["quick-1.unfinished"]["status"] == told
    assert f"  unfinished: {told}\n" in rnn("runs").out


def test_a_checkpoint_of_an_older_release_is_told_too(rnn: Rnn, home: Path) -> None:
    unfinished(home / "runs" / "a.unfinished", recipe=None, seconds=None)
    (home / "runs" / "b.unfinished").mkdir()
    assert listed(rnn)["a.unfinished"]["status"] == "stopped in epoch 3 of 4, 1,200 batches done"
    assert listed(rnn)["b.unfinished"]["status"] == "stopped before anything was saved"


@pytest.mark.parametrize(
    ("name", "spoil", "told"),
    [
        ("quick-1", lambda path: (path / "metrics.json").write_text("{"), "metrics.json: 1 bytes, written with "),
        ("quick-1", lambda path: (path / "manifest.json").write_text("{}"), "manifest.json: its checksum differs"),
        ("quick-1", lambda path: (path / "model.onnx").unlink(), "model.onnx: no such file or directory"),
        ("quick-1", lambda path: rewritten(path, "[]"), "its files make no sense"),
        ("quick-1", lambda path: rewritten(path, '{"test": {"accuracy": 7}}'), "its files make no sense"),
    ],
)
def test_a_damaged_run_is_a_row_that_says_so(
    name: str, spoil: Callable[[Path], object], told: str, rnn: Rnn, copy: Copy
) -> None:
    copy("whole-1")
    spoil(copy(name))
    found = listed(rnn)
    assert (found["whole-1"]["state"], found[name]["state"]) == ("finished", "damaged")
    assert found[name]["status"].startswith(told)
    assert any(re.match("quick-1 +damaged: ", line) for line in rnn("runs").out.splitlines())


def test_what_is_no_run_is_a_row_or_nothing(rnn: Rnn, home: Path, copy: Copy) -> None:
    copy("quick-1")
    (home / "runs/notes").mkdir()
    (home / "runs/notes.txt").write_text("mine")
    (home / "runs/.hidden").mkdir()
    (home / "runs/latest").symlink_to("quick-1")
    (home / "runs/a\x1b[2J\n").mkdir()
    (home / "runs/gone").symlink_to("nowhere")
    spoiled = unfinished(home / "runs" / "x.unfinished")
    (spoiled / "checkpoint-000001" / "manifest.json").write_text("[")
    found = listed(rnn)
    assert {name: run["state"] for name, run in found.items()} == {
        "quick-1": "finished",
        "notes": "foreign",
        "a\x1b[2J\n": "foreign",
        "x.unfinished": "damaged",
    }
    out = rnn("runs").out
    assert re.search(r"^notes +not a trained model$", out, re.MULTILINE)
    assert "\x1b" not in out and len(out.splitlines()) == 2 + 4


def test_runs_are_sorted(rnn: Rnn, copy: Copy) -> None:
    copy("quick-10", accuracy=0.5, seconds=60, finished="2026-01-03T00:00:00+00:00")
    copy("quick-9", accuracy=0.9, seconds=None, finished="2026-01-02T00:00:00+00:00")
    big = copy("accurate-1", accuracy=0.7, seconds=600, finished="2026-01-01T00:00:00+00:00")
    (big / "more").mkdir()
    (big / "more" / "mine").write_bytes(b"x" * 1_000_000)
    orders = {
        "name": ["accurate-1", "quick-9", "quick-10"],
        "accuracy": ["quick-9", "accurate-1", "quick-10"],
        "date": ["quick-10", "quick-9", "accurate-1"],
        "minutes": ["accurate-1", "quick-10", "quick-9"],
    }
    assert {order: list(listed(rnn, "--sort", order)) for order in orders} == orders
    assert list(listed(rnn, "--sort", "size"))[0] == "accurate-1"
    assert list(listed(rnn)) == orders["date"]


@pytest.mark.parametrize("columns", [80, 60])
def test_the_table_fits_a_terminal(columns: int, copy: Copy, home: Path) -> None:
    copy("a-name-of-a-run-that-goes-on-and-on-1", recipe="a-recipe-of-mine")
    unfinished(home / "runs" / "quick-2.unfinished")
    shown, _ = on_a_terminal("runs", columns=columns)
    lines = shown.replace("\r", "").splitlines()
    assert len(lines) == 4 and max(map(len, lines)) <= columns
    assert "accuracy" in lines[0] and "linear" in lines[0] and "recipe" not in lines[0]


def test_another_folder_is_listed_by_its_name(rnn: Rnn, copy: Copy, home: Path) -> None:
    copy("quick-1").parent.rename(home / "models")
    assert list(listed(rnn, "models")) == ["quick-1"]
    assert rnn("runs", "models", "--sort", "size").code == 0
    assert rnn("runs").out == "No runs in runs/; rnn train makes one.\n"
    assert listed(rnn) == {}
    code, out, err = rnn("runs", "nowhere")
    assert (code, out, err.count("\n")) == (2, "", 1) and err.startswith("Error: nowhere: no such file or directory; ")


def test_a_latest_run_elsewhere_is_named(rnn: Rnn, copy: Copy, home: Path) -> None:
    copy("quick-1").rename(home / "films")
    (home / "runs" / "latest").symlink_to("../films")
    out = rnn("runs").out.splitlines()
    assert out == ["No runs in runs/; rnn train makes one.", "Commands use the latest run, which is elsewhere: films"]
    copy("quick-2")
    assert rnn("runs").out.splitlines()[-1] == "Commands use the latest run, which is elsewhere: films"
    assert [each["name"] for each in json.loads(rnn("runs", "--json").out)] == ["quick-2"]


def test_help_shows_the_options_of_the_listing(rnn: Rnn) -> None:
    out = rnn("runs", "--help").out
    assert "--sort" in out and "--json" in out and "rnn runs rm quick-2" in out and len(out.splitlines()) < 30


def test_a_run_is_removed_and_its_size_told(rnn: Rnn, copy: Copy, home: Path) -> None:
    size = sum(map(len, files_below(copy("quick-1")).values()))
    unfinished(home / "runs" / "quick-2.unfinished")
    copy("quick-3")
    (home / "runs/latest").symlink_to("quick-3")
    code, out, err = rnn("runs", "rm", "quick-1", "runs/quick-2.unfinished", "quick-1")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"Removed  runs/quick-1  ({size / 1e6:,.1f} MB)"
    assert out.splitlines()[1].startswith("Removed  runs/quick-2.unfinished  (1.")
    assert sorted(os.listdir("runs")) == ["latest", "quick-3"]


def test_the_latest_goes_only_by_force_and_the_newest_left_follows(rnn: Rnn, copy: Copy) -> None:
    for name, day in (("quick-1", 3), ("quick-2", 2), ("quick-3", 4)):
        copy(name, finished=f"2026-01-0{day}T00:00:00+00:00")
    Path("runs/latest").symlink_to("quick-3")
    code, out, err = rnn("runs", "rm", "quick-2", "quick-3")
    assert (code, out) == (2, "") and err.startswith("Error: runs/quick-3: is the latest run; add --force ")
    assert len(os.listdir("runs")) == 4, "nothing is removed before all are looked at"
    assert rnn("runs", "rm", "--force", "quick-3").out.splitlines()[1] == "Latest   runs/quick-1"
    assert os.readlink("runs/latest") == "quick-1"
    assert rnn("runs", "rm", "--force", "quick-1", "quick-2").out.splitlines()[2].startswith("Latest   none")
    assert os.listdir("runs") == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nowhere", "runs/nowhere: no such run"),
        ("latest", "runs/latest: is a link to quick-1"),
        ("away", "runs/away: is a link to "),
        ("..", "..: is not in runs/"),
        (".", ".: is not in runs/"),
        ("", '"": is not in runs/'),
        ("runs", "runs/runs: no such run"),
        ("../elsewhere", "../elsewhere: is not in runs/"),
        ("runs/../elsewhere", "runs/../elsewhere: is not in runs/"),
        ("elsewhere", "runs/elsewhere: no such run"),
        ("notes.txt", "runs/notes.txt: is a file"),
        ("notes", "runs/notes: is not a trained model"),
        ("damaged", "runs/damaged: is not a trained model"),
        ("more", "runs/more: holds mine.txt, which is no part of the run"),
        ("folder", "runs/folder: holds mine, which is no part of the run"),
        ("more.unfinished", "runs/more.unfinished: holds mine.txt, which is no part of the run"),
        ("held.unfinished", "runs/held.unfinished: is being trained now"),
    ],
)
def test_what_is_no_run_or_in_use_is_refused_and_nothing_changes(
    name: str, told: str, rnn: Rnn, copy: Copy, home: Path
) -> None:
    copy("quick-1")
    shutil.copytree(home / "runs/quick-1", home / "elsewhere")
    Path("runs/latest").symlink_to("quick-1")
    Path("runs/away").symlink_to(home / "elsewhere")
    Path("runs/notes").mkdir()
    Path("runs/notes.txt").write_text("mine")
    (copy("damaged") / "manifest.json").write_text("{}")
    (copy("more") / "mine.txt").write_text("mine")
    (copy("folder") / "mine").mkdir()
    (unfinished(home / "runs" / "more.unfinished") / "mine.txt").write_text("mine")
    held = unfinished(home / "runs" / "held.unfinished")
    with (held / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = files_below(home)
        code, out, err = rnn("runs", "rm", "--force", "--", "quick-1", name)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(f"Error: {told}")
        assert files_below(home) == before


def test_links_in_a_run_are_removed_and_not_followed(rnn: Rnn, copy: Copy, home: Path) -> None:
    run = copy("quick-1")
    (home / "mine.csv").write_text("mine")
    (run / "history.csv").unlink()
    (run / "history.csv").symlink_to(home / "mine.csv")
    assert rnn("runs", "rm", "quick-1").code == 0
    assert (home / "mine.csv").read_text() == "mine" and not run.exists()


def test_a_run_loses_its_name_before_it_is_deleted(
    rnn: Rnn, copy: Copy, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnn_cli import system

    copy("quick-1")
    copy("quick-2")
    kept, seen = system.remove, []
    monkeypatch.setattr(system, "remove", lambda folder: seen.append((folder.name, os.listdir("runs"))))
    code, _, err = rnn("runs", "rm", "quick-1")
    ((hidden, names),) = seen
    assert hidden.startswith(".quick-1.") and "quick-1" not in names
    assert code == 2 and "cannot be deleted completely; delete it by hand" in err
    assert list(listed(rnn)) == ["quick-2"]
    monkeypatch.setattr(system, "remove", kept)
    assert rnn("runs", "rm", "quick-2").code == 0
    assert os.listdir("runs") == [], "what a process left that was killed there goes, too"
