"""A bundle's files: what is refused, what is kept, what a failure leaves."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from rnn_cli import system
from rnn_cli.bundle.checkpoints import beginning
from rnn_cli.bundle.locate import GENERAL_FOLDER, locate, shown_model
from rnn_cli.bundle.model_folder import NEWEST_FORMAT, Bundle, Manifest, checksum, unsign
from rnn_cli.bundle.runs import find_runs
from rnn_cli.bundle.writer import Draft, is_latest
from rnn_cli.errors import BundleError, UsageError, WriteError

MANIFEST = Manifest(
    labels=("bad", "gööd"),
    threshold=0.5,
    temperature=1.0,
    data={"fingerprint": "f", "rows": {"train": 3, "validation": 2, "test": 0}},
    versions={"keras": "3"},
)


@contextmanager
def writing(out: Path | None, *, name: str = "small", force: bool = False) -> Iterator[Draft]:
    with beginning(out, name=name, force=force) as place, place.draft() as draft:
        yield draft


def write(out: Path | None, *, text: str = "hello", name: str = "small", force: bool = False) -> Bundle:
    with writing(out, name=name, force=force) as draft:
        draft.write("tokenizer.json", text)
        draft.write("model.onnx", bytes(range(256)))
        return draft.finish(MANIFEST)


def used() -> Path:
    """The model that commands use where none is named."""
    notes: list[str] = []
    found = locate(None, notes.append)
    assert notes == []
    return found


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_was_written_is_read() -> None:
    write(Path("m"))
    opened = Bundle.open(Path("m"))
    assert opened.read("tokenizer.json") == b"hello"
    assert opened.manifest.labels == ("bad", "gööd")
    assert opened.manifest.task == "binary"


def test_vector_scaling_is_kept_and_earlier_releases_refuse_it() -> None:
    scaled = replace(MANIFEST, temperature=0.7, scales=(1.0625,), biases=(-0.1,))
    read = Manifest.from_json(scaled.to_json(), where="manifest.json")
    assert (read, read.scales, read.biases) == (scaled, (1.0625,), (-0.1,))
    assert json.loads(scaled.to_json())["format_version"] == 2  # they read format 1
    with pytest.raises(BundleError, match="newer rnn"):
        unsign(scaled.to_json(), where="manifest.json", newest=1)


def test_a_manifest_without_vector_scaling_is_that_of_earlier_releases() -> None:
    content = json.loads(MANIFEST.to_json())
    assert content["format_version"] == 1 and not {"scales", "biases"} & set(content)
    assert Manifest.from_json(MANIFEST.to_json(), where="manifest.json").to_json() == MANIFEST.to_json()


def test_every_flipped_bit_is_refused() -> None:
    write(Path("m"))
    for name in ("manifest.json", "tokenizer.json", "model.onnx"):
        file = Path("m") / name
        good = file.read_bytes()
        for place in range(len(good)):
            file.write_bytes(good[:place] + bytes([good[place] ^ (1 << place % 8)]) + good[place + 1 :])
            with pytest.raises(BundleError):
                Bundle.open(Path("m")).read(name)
        file.write_bytes(good)
    assert Bundle.open(Path("m")).read("model.onnx") == bytes(range(256))


@pytest.mark.parametrize("name", ["manifest.json", "tokenizer.json", "model.onnx"])
def test_every_truncation_is_refused(name: str) -> None:
    write(Path("m"))
    file = Path("m") / name
    good = file.read_bytes()
    for length in range(len(good)):
        file.write_bytes(good[:length])
        # The manifest's last line end is no part of its meaning.
        if name == "manifest.json" and length == len(good) - 1:
            continue
        with pytest.raises(BundleError):
            Bundle.open(Path("m"))


def test_a_changed_file_of_the_same_size_is_named() -> None:
    write(Path("m"))
    Path("m/tokenizer.json").write_text("jello")
    with pytest.raises(BundleError, match=r"^m/tokenizer.json: checksum differs .*; train again or restore a copy$"):
        Bundle.open(Path("m")).read("tokenizer.json")


def test_a_missing_file_is_named() -> None:
    write(Path("m"))
    Path("m/model.onnx").unlink()
    with pytest.raises(BundleError, match="^m/model.onnx: no such file"):
        Bundle.open(Path("m"))


def test_a_newer_format_asks_for_an_upgrade() -> None:
    write(Path("m"))
    content = json.loads(Path("m/manifest.json").read_text())
    content["format_version"] = NEWEST_FORMAT + 1
    content["a_key_of_the_future"] = 1
    Path("m/manifest.json").write_text(json.dumps(content))
    with pytest.raises(BundleError, match="newer rnn .*; upgrade rnn-cli"):
        Bundle.open(Path("m"))


@pytest.mark.parametrize(
    "change",
    [
        {"labels": ["one"]},
        {"labels": ["a", "a"]},
        {"files": {"..": {"size": 1, "sha256": ""}}},
        {"labels": "ab"},
        {"threshold": 2},
        {"temperature": 0},
        {"temperature": "hot"},
        {"files": {"../outside": {"size": 1, "sha256": ""}}},
        {"files": {"a": 1}},
        {"format_version": "1"},
    ],
)
def test_a_manifest_that_is_whole_but_makes_no_sense_is_refused(change: dict[str, object]) -> None:
    content = json.loads(MANIFEST.to_json()) | change
    content.pop("checksum")
    content["checksum"] = checksum(content)
    with pytest.raises(BundleError, match="not a manifest this rnn understands"):
        Manifest.from_json(json.dumps(content), where="manifest.json")


@pytest.mark.parametrize("text", ["", "[]", "null", "1", '"x"', "{", "[" * 100_000, '{"checksum": 1}'])
def test_no_manifest_at_all(text: str) -> None:
    with pytest.raises(BundleError, match="damaged"):
        Manifest.from_json(text, where="manifest.json")


def test_what_is_no_bundle_is_said() -> None:
    Path("empty").mkdir()
    Path("file").write_text("x")
    for path, reason in (
        ("nowhere", "no such folder"),
        ("empty", "it has no manifest.json"),
        ("file", "is a file"),
    ):
        with pytest.raises(BundleError, match=f"^{path}: .*{reason}"):
            Bundle.open(Path(path))


def test_runs_are_numbered_and_latest_names_the_newest() -> None:
    assert write(None).path == Path("runs/small-1")
    assert write(None, text="second").path == Path("runs/small-2")
    Path("runs/small-2x").mkdir()
    assert write(None, name="other").path == Path("runs/other-1")
    assert used().resolve() == Path("runs/other-1").resolve()
    assert Bundle.open(used()).read("tokenizer.json") == b"hello"


def test_latest_follows_a_run_written_elsewhere() -> None:
    write(None)
    write(Path("models/mine"), text="elsewhere")
    assert Bundle.open(used()).read("tokenizer.json") == b"elsewhere"


def test_the_model_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    with pytest.raises(BundleError, match="no trained model in runs/; train one with rnn train"):
        locate(None, notes.append, or_general=False)
    assert notes == []
    assert locate(None, notes.append) == locate("general", notes.append) == GENERAL_FOLDER and len(notes) == 1
    assert locate("./general", notes.append) == Path("general")
    assert shown_model(GENERAL_FOLDER) == "general" != shown_model(Path("general").resolve())
    monkeypatch.setenv("RNN_MODEL", "environment")
    with pytest.raises(BundleError, match="^RNN_MODEL=environment: no such folder; correct or unset the variable$"):
        locate(None, notes.append)
    Path("environment").mkdir()
    assert locate(None, notes.append) == Path("environment")
    assert locate("named", notes.append) == Path("named")
    assert locate("", notes.append) == Path("")
    assert len(notes) == 1


def test_a_last_model_that_is_gone_is_told() -> None:
    write(Path("m"))
    shutil.rmtree("m")
    gone = "^runs/latest: points to ../m, which is gone; name one with model=DIR"
    with pytest.raises(BundleError, match=gone):
        used()
    with pytest.raises(BundleError, match="^runs/latest: points to ../m, which is gone"):
        Bundle.open(Path("runs/latest"))


def test_without_the_last_model_the_newest_of_the_runs_is_used_and_said() -> None:
    write(None)
    newest = write(None, text="newest").path
    write(None, name="broken").path.joinpath("tokenizer.json").unlink()
    write(Path("m"))
    assert used() == Path("m")
    shutil.rmtree("m")
    notes: list[str] = []
    assert locate(None, notes.append) == newest
    assert notes == [f"runs/latest points to ../m, which is gone, so the newest run in runs/ is used: {newest}"]
    assert [run.name for run in find_runs(Path("runs")) if run.is_latest] == [newest.name]
    Path("runs/latest").unlink()
    assert locate(None, notes.append, or_general=False) == newest
    assert notes[1:] == [f"runs/latest is gone, so the newest run in runs/ is used: {newest}"]


def test_an_existing_model_is_replaced_only_by_force() -> None:
    write(Path("m"), text="old")
    with pytest.raises(UsageError, match="^m: exists; use force=True"):
        write(Path("m"), text="new")
    assert Bundle.open(Path("m")).read("tokenizer.json") == b"old"
    write(Path("m"), text="new", force=True)
    assert Bundle.open(Path("m")).read("tokenizer.json") == b"new"
    assert sorted(path.name for path in Path().iterdir()) == ["m", "runs"]


@pytest.mark.parametrize("force", [True, False])
def test_a_folder_that_is_no_model_is_never_replaced(force: bool) -> None:
    Path("home").mkdir()
    Path("home/letter.txt").write_text("dear")
    with pytest.raises(BundleError, match="^home: exists and is not a trained model"):
        write(Path("home"), force=force)
    assert Path("home/letter.txt").read_text() == "dear"


def test_what_stands_beside_a_models_files_is_never_deleted() -> None:
    write(Path("m"), text="old")
    Path("m/notes.txt").write_text("dear")
    with pytest.raises(UsageError, match="^m: holds notes.txt, which would be lost"):
        write(Path("m"), force=True)
    assert Path("m/notes.txt").read_text() == "dear"


def test_a_foreign_manifest_makes_no_model() -> None:
    Path("extension").mkdir()
    Path("extension/manifest.json").write_text("{}")
    with pytest.raises(BundleError, match="^extension: exists and is not a trained model"):
        write(Path("extension"), force=True)
    assert Path("extension/manifest.json").read_text() == "{}"


def test_the_folder_of_runs_is_no_models_place() -> None:
    write(None)
    with pytest.raises(BundleError, match="^runs: is the folder that holds the runs; use out=runs/NAME"):
        write(Path("runs"), force=True)


@pytest.mark.parametrize("force", [True, False])
def test_what_comes_to_the_place_while_the_run_goes_on_is_left_alone(force: bool) -> None:
    with (
        pytest.raises(BundleError, match="^m: exists and is not a trained model"),
        writing(Path("m"), force=force) as draft,
    ):
        draft.write("tokenizer.json", "new")
        Path("m").mkdir()
        Path("m/thesis.txt").write_text("dear")
        draft.finish(MANIFEST)
    assert Path("m/thesis.txt").read_text() == "dear"


@pytest.mark.parametrize("broken", ["a file named runs", "a folder named latest"])
def test_a_link_that_cannot_be_made_does_not_fail_the_run(broken: str) -> None:
    if broken == "a file named runs":
        Path("runs").write_text("")
    else:
        Path("runs/latest").mkdir(parents=True)
    path = write(Path("m")).path
    assert Bundle.open(path).read("tokenizer.json") == b"hello"
    assert not is_latest(path)


def test_the_link_leads_home_through_other_links() -> None:
    Path("far/deep/runs").mkdir(parents=True)
    Path("runs").symlink_to("far/deep/runs")
    path = write(Path("models/mine")).path
    assert is_latest(path)
    assert Bundle.open(used()).read("tokenizer.json") == b"hello"


def test_a_model_is_replaced_in_steps_where_one_step_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "_renameat2", lambda new, old: False)
    write(Path("m"), text="old")
    write(Path("m"), text="new", force=True)
    assert Bundle.open(Path("m")).read("tokenizer.json") == b"new"
    assert sorted(path.name for path in Path().iterdir()) == ["m", "runs"]


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is Linux's")
def test_a_model_is_replaced_in_one_step_where_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    write(Path("m"), text="old")

    def refused(self: Path, target: Path) -> Path:
        raise AssertionError("renamed in steps")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refused)
        write(Path("m"), text="new", force=True)
    assert Bundle.open(Path("m")).read("tokenizer.json") == b"new"


def test_files_are_on_the_disk_before_the_folder_gets_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    fsync, claim = system.fsync, system.claim
    monkeypatch.setattr(system, "fsync", lambda path: (done.append(path.name), fsync(path))[1])
    monkeypatch.setattr(system, "claim", lambda folder, final: (done.append("claimed"), claim(folder, final))[1])
    write(Path("m"))
    before = done[: done.index("claimed")]
    assert {"manifest.json", "tokenizer.json", "model.onnx"} < set(before)
    assert before[-1].endswith(".part")


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_run_that_fails_leaves_the_old_model_and_nothing_else(error: type[BaseException]) -> None:
    write(Path("m"), text="old")
    with pytest.raises(error), writing(Path("m"), force=True) as draft:
        draft.write("tokenizer.json", "half")
        raise error
    assert Bundle.open(Path("m")).read("tokenizer.json") == b"old"
    assert sorted(path.name for path in Path().iterdir()) == ["m", "runs"]


@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.write_bytes", "pathlib.Path.rename", "os.replace"])
@pytest.mark.parametrize("after", range(4))
def test_a_full_disk_leaves_an_old_or_a_new_model_and_one_line(
    call: str, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Path("m"), text="old")
    with monkeypatch.context() as patch:
        module, name = call.rsplit(".", 1)
        target = Path if module == "pathlib.Path" else __import__(module)
        real, calls = getattr(target, name), iter(range(100))

        def failing(*arguments: object, **keywords: object) -> object:
            if next(calls) == after:
                raise OSError(28, "No space left on device")
            return real(*arguments, **keywords)

        patch.setattr(target, name, failing)
        try:
            write(Path("m"), text="new", force=True)
        except WriteError as error:
            assert "no space left on device" in str(error)
            assert "\n" not in str(error)
    assert Bundle.open(Path("m")).read("tokenizer.json") in (b"old", b"new")
    assert not [*Path().glob("**/*.part"), *Path().glob("*.unfinished")]
