"""The exported folder: what it holds and does not tell, what may stand in its place, what a failure leaves."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from rnn_cli.bundle.model_folder import CONFIG, FURTHER, INT8_MODEL, MANIFEST, ONNX_MODEL, TOKENIZER, Bundle, proof
from rnn_cli.config.load import parse_config
from rnn_cli.errors import BundleError, Error, UsageError, WriteError
from rnn_cli.export.export import export_bundle, unplaced_config, unplaced_data

from .conftest import Make


@pytest.fixture(scope="module")
def opened(make_bundle: Make) -> Bundle:
    return make_bundle()


def contents(folder: Path) -> dict[Path, bytes]:
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_folder_is_a_bundle_of_few_files(opened: Bundle, tmp_path: Path) -> None:
    written = export_bundle(opened, tmp_path / "out")
    made = Bundle.open(written.path)
    assert made.manifest.files.keys() == {"README.md", "config.yaml", "model.onnx", "predict.py", "tokenizer.json"}
    assert {*made.manifest.files, "manifest.json", "rnn_runtime"} == {file.name for file in written.path.iterdir()}
    assert replace(made.manifest, files={}) == replace(opened.manifest, files={})
    for name in (ONNX_MODEL, TOKENIZER):
        assert made.read(name) == opened.read(name)
    assert written.size == sum(len(content) for content in contents(written.path).values())
    assert not (tmp_path / "runs").exists()  # an export is no run


def test_no_file_tells_where_the_data_lay(opened: Bundle, tmp_path: Path) -> None:
    folder = export_bundle(opened, tmp_path / "out").path
    assert b"/home/someone/secret" in opened.read(CONFIG)
    assert not any(b"secret" in content for content in contents(folder).values())
    config = parse_config((folder / "config.yaml").read_text("utf-8"), "config.yaml")
    assert (config.data.source, config.data.unlabelled) == ("./reviews.csv", ["imdb", "./more.jsonl"])


def test_a_path_keeps_its_last_part_and_a_name_stays_one() -> None:
    text = """
data: {source: /a/imdb, validation: 0.2, test: ../b/test.csv, unlabelled: sets/tweets, text_column: body/text}
model: {embeddings: /v/own, base: /runs/reviews-1, units: [4]}
"""
    config = unplaced_config(parse_config(text, "c"))
    assert (config.data.source, config.data.test, config.data.unlabelled) == ("./imdb", "./test.csv", "./tweets")
    assert (config.data.validation, config.data.text_column) == (0.2, "body/text")
    assert (config.model.embeddings, config.model.base) == ("./own", "./reviews-1")
    plain = parse_config("data: {source: imdb, test: test.csv}\nmodel: {embeddings: own}", "c")
    assert unplaced_config(plain) == plain
    data = {"fingerprint": "f", FURTHER: {"model": "/home/a/runs/x-1", "sha256": "0"}}
    assert unplaced_data(data) == {"fingerprint": "f", FURTHER: {"model": "./x-1", "sha256": "0"}}


def with_int8(opened: Bundle, folder: Path) -> Bundle:
    """The bundle with a second graph, which is the first."""
    shutil.copytree(opened.path, folder)
    shutil.copy(folder / ONNX_MODEL, folder / INT8_MODEL)
    files = {**opened.manifest.files, INT8_MODEL: proof(folder / INT8_MODEL)}
    (folder / MANIFEST).write_text(replace(opened.manifest, files=files).to_json(), "utf-8")
    return Bundle.open(folder)


def test_int8_writes_the_second_graph_as_the_only_one(opened: Bundle, tmp_path: Path) -> None:
    both = with_int8(opened, tmp_path / "both")
    folder = export_bundle(both, tmp_path / "out", precision="int8").path
    assert Bundle.open(folder).read(ONNX_MODEL) == both.read(INT8_MODEL)
    assert INT8_MODEL not in Bundle.open(folder).manifest.files
    assert "the graph is int8" in (folder / "README.md").read_text()


def test_a_model_without_an_int8_graph_says_so(opened: Bundle, tmp_path: Path) -> None:
    with pytest.raises(
        BundleError, match="without; export it with rnn export --precision int8, or use precision=fp32$"
    ):
        export_bundle(opened, tmp_path / "out", precision="int8")
    assert not list(tmp_path.iterdir())


def test_a_damaged_second_graph_is_refused(opened: Bundle, tmp_path: Path) -> None:
    both = with_int8(opened, tmp_path / "both")
    (both.path / INT8_MODEL).write_bytes(b"x" * (both.path / INT8_MODEL).stat().st_size)
    with pytest.raises(BundleError, match="checksum differs"):
        export_bundle(both, tmp_path / "out", precision="int8")
    assert [file.name for file in tmp_path.iterdir()] == ["both"]


def test_an_earlier_export_is_replaced_only_by_force(opened: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_bundle(opened, out)
    for folder in (out, out / "rnn_runtime" / "text"):
        (folder / "__pycache__").mkdir()  # left by Python, where the script was imported
        (folder / "__pycache__" / "predict.cpython-311.pyc").write_bytes(b"")
    with pytest.raises(UsageError, match=r"exists; use force=True to replace it, or choose another to$"):
        export_bundle(opened, out)
    export_bundle(opened, out, force=True)
    assert not (out / "__pycache__").exists()
    for name in ("rnn_runtime/text/notes.txt", "notes.txt"):
        (out / name).write_text("dear")
        with pytest.raises(UsageError, match=rf"holds {name}, which would be lost; move it, or choose another"):
            export_bundle(opened, out, force=True)
        assert (out / name).read_text() == "dear"


@pytest.mark.parametrize("force", [True, False])
def test_what_is_no_model_is_never_replaced(force: bool, opened: Bundle, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "file").write_text("dear")
    for name, error in (("home", "exists and is not a trained model"), ("file", "is not a folder")):
        with pytest.raises(Error, match=f"{error}; choose another to"):
            export_bundle(opened, tmp_path / name, force=force)
    assert (tmp_path / "file").read_text() == "dear"


@pytest.mark.parametrize("force", [True, False])
def test_the_model_itself_is_never_touched(force: bool, opened: Bundle, tmp_path: Path) -> None:
    before = contents(opened.path)
    (tmp_path / "link").symlink_to(opened.path)
    for to, reason in (
        (opened.path, "is the model itself"),
        (tmp_path / "link", "is the model itself"),
        (opened.path / "out", "in which nothing must change"),
    ):
        with pytest.raises(UsageError, match=reason):
            export_bundle(opened, to, force=force)
    assert contents(opened.path) == before


def test_a_full_disk_leaves_what_there_was_and_one_line(
    opened: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    export_bundle(opened, out)
    before = contents(out)

    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WriteError, match=r"no space left on device\); make room there or choose another to$"):
        export_bundle(opened, out, force=True)
    assert contents(out) == before
    assert [file.name for file in tmp_path.iterdir()] == ["out"]
