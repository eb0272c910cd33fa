"""A bundle in memory is verified as one in a folder, and writes the same folder again."""

import pickle
from pathlib import Path

import pytest

from rnn_cli.bundle.in_memory import BundleInMemory
from rnn_cli.bundle.model_folder import MANIFEST, METRICS, PREDICTIONS, Bundle
from rnn_cli.errors import BundleError


@pytest.fixture
def held(trained: Path) -> BundleInMemory:
    return BundleInMemory.of(Bundle.open(trained))


def test_it_is_written_byte_by_byte_as_it_was(held: BundleInMemory, trained: Path, tmp_path: Path) -> None:
    written = pickle.loads(pickle.dumps(held)).write(tmp_path / "new" / "model")
    assert {file.name: file.read_bytes() for file in written.path.iterdir()} == {
        file.name: file.read_bytes() for file in trained.iterdir()
    }
    assert written.fingerprint() == held.fingerprint() == Bundle.open(trained).fingerprint()


def test_a_failed_write_leaves_nothing(held: BundleInMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rnn_cli.system.write", full)
    with pytest.raises(Exception, match="cannot be written \\(no space left on device\\); make room there or choose"):
        held.write(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_what_differs_or_lacks_is_refused(held: BundleInMemory) -> None:
    manifest, files = held.manifest.to_json(), dict(held.contents)
    changed = {**files, METRICS: files[METRICS][:-1] + b" "}
    with pytest.raises(BundleError, match=r"^\(memory\)/metrics.json: checksum differs from the one written"):
        BundleInMemory.from_bytes(manifest, changed)
    with pytest.raises(BundleError, match=r"^\(memory\)/metrics.json: is missing"):
        BundleInMemory.from_bytes(manifest, {name: files[name] for name in files if name != METRICS})
    with pytest.raises(BundleError, match=rf"^\(memory\)/{MANIFEST}: damaged, its checksum differs"):
        BundleInMemory.from_bytes(manifest.replace("0.5", "0.6"), files)
    more = BundleInMemory.from_bytes(manifest, {**files, "thesis.txt": b"dear"})
    assert "thesis.txt" not in more.contents


def test_a_file_of_it_has_no_place(held: BundleInMemory) -> None:
    with pytest.raises(BundleError, match=r"^\(memory\)/predictions.csv: is in memory.*; save it first"):
        held.verify(PREDICTIONS)
    with pytest.raises(BundleError, match="has no thesis.txt"):
        held.read("thesis.txt")
