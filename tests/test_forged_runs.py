"""Unfinished runs that a stranger changed and signed again are refused: at once, and in one line."""

import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_cli.bundle.checkpoints import Checkpoint, beginning, newest_checkpoint
from rnn_cli.cli.main import run
from rnn_cli.config.schema import Config
from rnn_cli.errors import BundleError
from rnn_cli.training.checkpointing import SavedRun
from rnn_cli.training.npz import pack_arrays, unpack_arrays
from rnn_cli.training.prepare import prepare
from rnn_cli.training.run import train_prepared
from tests.conftest import Silent
from tests.forge import Forged, at_once

Forgery = Callable[[Forged], object]


class Interrupting(Silent):
    """Presses Ctrl-C after the first epoch."""

    def epoch_done(self, metrics: object, *, best: bool) -> None:
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def stopped(labelled_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder, with one checkpoint, after its first epoch."""
    sections = {
        "data": {"source": str(labelled_file), "validation": 0.2, "test": 0.0},
        "tokenizer": {"vocab_size": 60, "max_length": 12},
        "model": {"cell": "gru", "embedding_dim": 4, "units": [3], "dense_units": [], "dropout": 0.2},
        "training": {"epochs": 2, "baseline": False},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("stopped"))
        heard = Interrupting()
        with pytest.raises(KeyboardInterrupt):
            config = Config.model_validate(sections)
            train_prepared(prepare(config, heard), out=Path("m"), name="m", force=False, listener=heard)
        path = Path("m.unfinished").resolve()
        shutil.rmtree(path / "checkpoint-000001")  # of two, the older would be taken where the newer is damaged
        return path


@pytest.fixture
def unfinished(stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(stopped, "m.unfinished")
    return Path("m.unfinished")


@pytest.fixture
def forged(unfinished: Path) -> Forged:
    """Its checkpoint."""
    Path("kept").mkdir()
    return Forged(shutil.move(unfinished / "checkpoint-000002", "kept"), unfinished / "checkpoint-000002")


RESUME, FROM = ("--resume", "m.unfinished"), ("--from", "m.unfinished", "--out", "further")


def assert_refused(
    capsys: pytest.CaptureFixture[str], *words: str, commands: Iterable[Sequence[str]] = (RESUME, FROM)
) -> None:
    for command in commands:
        capsys.readouterr()
        with at_once():
            code = run(["train", *command])
        err = capsys.readouterr().err
        assert code == 2, err
        line = err.splitlines()[-1]
        assert line.startswith("Error: m.unfinished") and "fault of rnn" not in line
        assert all(word in line for word in words), line


def test_what_is_signed_again_but_not_changed_is_taken(forged: Forged) -> None:
    forged.sign()
    saved = SavedRun.read(newest_checkpoint(Path("m.unfinished"), pytest.fail))
    assert len(saved.reached.history) == 1
    assert run(["train", "--resume", "m.unfinished"]) == 0


def manifest(**changes: Any) -> Forgery:
    return lambda forged: forged.sign(**changes)


def state(**changes: Any) -> Forgery:
    return lambda forged: forged.sign(state=forged.manifest["state"] | changes)


def standing(**changes: Any) -> Forgery:
    return lambda forged: state(standing=forged.manifest["state"]["standing"] | changes)(forged)


def metrics(**changes: Any) -> Forgery:
    return lambda forged: standing(history=[forged.manifest["state"]["standing"]["history"][0] | changes])(forged)


def config(before: str, after: str) -> Forgery:
    def forge(forged: Forged) -> None:
        text = forged.manifest["state"]["config"]
        assert before in text
        state(config=text.replace(before, after))(forged)

    return forge


def arrays(name: str, change: Callable[[list[np.ndarray]], list[np.ndarray]]) -> Forgery:
    def forge(forged: Forged) -> None:
        found = [array.copy() for array in unpack_arrays((forged.path / name).read_bytes())]
        forged.write(name, pack_arrays(change(found)))

    return forge


def first(value: float) -> Callable[[list[np.ndarray]], list[np.ndarray]]:
    def change(found: list[np.ndarray]) -> list[np.ndarray]:
        place = next(place for place, array in enumerate(found) if array.dtype.kind == "f" and array.size)
        found[place].flat[0] = value
        return found

    return change


def named(name: str) -> Forgery:
    return lambda forged: forged.sign(files=forged.manifest["files"] | {name: {"size": 5, "sha256": "0" * 64}})


def without(name: str) -> Forgery:
    return lambda forged: forged.sign(
        files={key: each for key, each in forged.manifest["files"].items() if key != name}
    )


def tokenizer(**changes: Any) -> Forgery:
    return lambda forged: forged.json("tokenizer.json", **changes)


def archive(*members: tuple[str, bytes], how: int = zipfile.ZIP_STORED) -> Forgery:
    def forge(forged: Forged) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", how) as made:
            for name, content in members:
                made.writestr(name, content)
        forged.write("model.npz", packed.getvalue())

    return forge


def array(header: str, content: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    said = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY" + version + len(said).to_bytes(2, "little") + said + content


def npy(shape: str, kind: str = "'<f4'", content: bytes = b"1234") -> Forgery:
    said = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}"
    return archive(("arr_0.npy", array(said, content)))


def shared(forged: Forged) -> None:
    """Many members of the same bytes."""
    plain = array("{'descr': '<f4', 'fortran_order': False, 'shape': (262144,), }", b"\0" * (1 << 20))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("arr_0.npy", plain)
        (entry,) = made.filelist
        made.filelist += [entry] * 2_000
    forged.write("model.npz", packed.getvalue())


FORGERIES: dict[str, Forgery] = {
    "no state": manifest(state=...),
    "a state that is a list": manifest(state=[]),
    "no place": manifest(place=...),
    "another place": manifest(place={"force": True, "numbered": False, "path": "/"}),
    "a place of texts": manifest(place={"force": "no", "numbered": "no"}),
    "a later format": manifest(format_version=2),
    "files in a list": manifest(files=[]),
    **{f"a file named {name!r}": named(name) for name in ("../x", "/etc/hostname", "a/b", "", "..", "a\0b")},
    "another file": lambda forged: forged.write("more.npz", b""),
    "no model": without("model.npz"),
    "no tokenizer": without("tokenizer.json"),
    "one label": state(labels=["a"]),
    "a label twice": state(labels=["a", "a"]),
    "a third label": state(labels=["bad", "good", "more"]),
    "labels that are numbers": state(labels=[1, 2]),
    "no config": state(config=None),
    "a config that is a list": state(config="[]"),
    "other units": config("units: [3]", "units: [4]"),
    "huge units": config("units: [3]", "units: [1000000, 1000000]"),
    "longer vectors": config("embedding_dim: 4", "embedding_dim: 2000000000"),
    "another cell": config("cell: gru", "cell: lstm"),
    "another level": config("level: word", "level: char"),
    "no fingerprint": state(fingerprint=1),
    "an origin that is a text": state(origin="x"),
    "versions that are numbers": state(versions={"keras": 3}),
    "a figure that is a text": metrics(val_loss="x"),
    "a figure that is endless": lambda forged: metrics(val_loss=float("inf"))(forged),
    "a figure of 400 digits": metrics(loss=10**400),
    "a figure that there is not": metrics(more=1),
    "another epoch": metrics(epoch=7),
    "no history": standing(history=[]),
    "a history that is a number": standing(history=1),
    "sums that are no numbers": standing(epoch={"batches": "1"}),
    "fewer batches than none": standing(epoch={"batches": -1, "rows": 3}),
    "batches without rows": standing(epoch={"batches": 2}),
    "half a batch": standing(epoch={"batches": 0.5, "rows": 1}),
    "a token twice": tokenizer(vocabulary=["", "<OOV>", "a", "a"]),
    "fewer tokens": tokenizer(vocabulary=["", "<OOV>", "a"]),
    "another length": tokenizer(max_length=13),
    "a weight that is no number": arrays("model.npz", first(np.nan)),
    "an endless moment": arrays("optimizer.npz", first(np.inf)),
    "a best weight that is no number": arrays("best.npz", first(np.nan)),
    "no best weights": arrays("best.npz", lambda found: []),
    "a weight missing": arrays("model.npz", lambda found: found[1:]),
    "a weight turned": arrays("model.npz", lambda found: [found[0].T, *found[1:]]),
    "wider numbers": arrays("model.npz", lambda found: [each.astype(np.float64) for each in found]),
    "objects": npy("(1,)", "'|O'", b"\x80\x04K\x01."),
    "texts": npy("(1,)", "'<U1'"),
    "records": npy("(1,)", "[('a', '<f4')]"),
    "a huge shape": npy("(1000000000000,)"),
    "a shape that overflows": npy("(4294967296, 4294967296)"),
    "a negative shape": npy("(-1,)"),
    "two negative sizes": npy("(-1, -1)"),
    "a shape that is code": npy("__import__('os').system('true')"),
    "a shape nested deeply": npy("(" * 60),
    "a later version": archive(("arr_0.npy", array("{}", version=b"\x03\x00"))),
    "no array": archive(("arr_0.npy", b"")),
    "other names": archive(("../arr_0.npy", array("{}"))),
    "an array twice": archive(("arr_0.npy", array("{}")), ("arr_0.npy", array("{}"))),
    "a bomb": archive(("arr_0.npy", b"\0" * (1 << 28)), how=zipfile.ZIP_DEFLATED),
    "shared bytes": shared,
    "many arrays": archive(*((f"arr_{place}.npy", b"") for place in range(10_001))),
    "no archive": lambda forged: forged.write("model.npz", b"PK"),
    "half an archive": lambda forged: forged.write("model.npz", (forged.path / "model.npz").read_bytes()[:-30]),
    "nothing": lambda forged: forged.write("model.npz", b""),
}


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_checkpoint_is_refused(name: str, forged: Forged, capsys: pytest.CaptureFixture[str]) -> None:
    FORGERIES[name](forged)
    assert_refused(capsys)
    assert not Path("further").exists() and not Path("m").exists()


OF_RESUMING: dict[str, Forgery] = {
    "a best weight turned": arrays("best.npz", lambda found: [found[0].T, *found[1:]]),
    "a moment missing": arrays("optimizer.npz", lambda found: found[:-1]),
    "moments turned": arrays("optimizer.npz", lambda found: [each.T for each in found]),
}
"""Arrays that further training does not read."""


@pytest.mark.parametrize("name", OF_RESUMING)
def test_a_forged_learner_is_refused(name: str, forged: Forged, capsys: pytest.CaptureFixture[str]) -> None:
    OF_RESUMING[name](forged)
    assert_refused(capsys, "its arrays do not fit the network of its config", commands=[RESUME])


# What is no file


@pytest.mark.parametrize("name", ["manifest.json", "model.npz", "tokenizer.json"])
@pytest.mark.parametrize("thing", ["pipe", "link", "folder"])
def test_what_is_no_file_of_a_checkpoint_is_refused(
    thing: str, name: str, forged: Forged, capsys: pytest.CaptureFixture[str]
) -> None:
    file = forged.path / name
    file.rename("elsewhere")
    if thing == "link":
        file.symlink_to(Path("elsewhere").resolve())
    else:
        (os.mkfifo if thing == "pipe" else os.mkdir)(file)
    assert_refused(capsys, f"is a {thing}, not a file")


def test_a_checkpoint_that_is_a_link_is_refused(forged: Forged, capsys: pytest.CaptureFixture[str]) -> None:
    forged.path.rename("elsewhere")
    forged.path.symlink_to(Path("elsewhere").resolve())
    assert_refused(capsys, "is a link, not a folder")


def test_a_lock_is_not_waited_for_and_leads_nowhere(unfinished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = unfinished / "lock"
    Path("letter.txt").write_text("dear")
    for make, told in (
        (lambda: os.mkfifo(lock), "is a pipe, not a file"),
        (lambda: lock.symlink_to(Path("letter.txt").resolve()), "is a link, not a file"),
        (lambda: lock.symlink_to("nowhere"), "is a link, not a file"),
        (lock.mkdir, "is a folder, not a file"),
    ):
        lock.unlink(missing_ok=True)
        make()
        with at_once():
            assert run(["train", "--resume", "m.unfinished"]) == 2
        assert f"m.unfinished/lock: {told}" in capsys.readouterr().err
    assert Path("letter.txt").read_text() == "dear"
    assert not Path("nowhere").exists()


def test_why_it_failed_is_not_waited_for_and_leads_nowhere(
    unfinished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = unfinished / "failed"
    Path("letter.txt").write_text("dear")
    for make, told in (
        (lambda: os.mkfifo(failed), "failed: is a pipe, not a file"),
        (lambda: failed.symlink_to(Path("letter.txt").resolve()), "failed: is a link, not a file"),
        (lambda: failed.write_text("x" * 1_000_000), "failed: 1,000,000 bytes are more than any has"),
    ):
        failed.unlink(missing_ok=True)
        make()
        with at_once():
            assert run(["train", "--resume", "m.unfinished"]) == 2
        assert told in capsys.readouterr().err
    failed.unlink()
    failed.symlink_to(Path("letter.txt").resolve())
    (unfinished / "checkpoint-000002").rename("checkpoint")
    with beginning(Path("m"), name="m", force=False) as place:
        place.give_up("it diverged")
        assert failed.read_text() == "it diverged" and not failed.is_symlink()
    assert Path("letter.txt").read_text() == "dear"


def test_a_checkpoint_is_read_once_and_whole(forged: Forged) -> None:
    """What is proven is what is used, whatever becomes of the file later."""
    checkpoint = Checkpoint.open(forged.path)
    (forged.path / "model.npz").write_bytes(b"")
    assert SavedRun.read(checkpoint).arrays["model"]
    with pytest.raises(BundleError, match="checksum differs"):
        Checkpoint.open(forged.path)


def test_the_state_holds_what_it_should(forged: Forged) -> None:
    """A guard for the table above: its forgeries change what is there."""
    content = forged.manifest
    assert set(content) == {"format_version", "place", "state", "files"}
    assert set(content["files"]) == {"tokenizer.json", "model.npz", "optimizer.npz", "best.npz"}
    assert json.dumps(content["state"]["standing"]["epoch"])
