from pathlib import Path

import numpy as np
import pytest

from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.errors import UsageError, WriteError
from rnn_cli.inspection.vectors import (
    METADATA_FILE,
    PROJECTOR_CONFIG,
    TENSORS_FILE,
    Vectors,
    escape,
    read_vectors,
    write_vectors,
)
from rnn_cli.text.tokenizer import Tokenizer


def test_the_files_read_again_equal_the_embedding(trained: Path, tmp_path: Path) -> None:
    vectors = read_vectors(Bundle.open(trained))
    assert write_vectors(vectors, tmp_path / "deep" / "out", force=False) == len(vectors.table) - 1
    folder = tmp_path / "deep" / "out"
    np.testing.assert_array_equal(np.loadtxt(folder / TENSORS_FILE, np.float32, delimiter="\t"), vectors.table[1:])
    assert tuple((folder / METADATA_FILE).read_text("utf-8").splitlines()) == vectors.tokenizer.vocab[1:]
    config = (folder / PROJECTOR_CONFIG).read_text("utf-8")
    assert f'tensor_path: "{TENSORS_FILE}"' in config and f'metadata_path: "{METADATA_FILE}"' in config
    assert [file.name for file in folder.parent.iterdir()] == ["out"]


def test_any_character_is_one_line_of_its_own(tmp_path: Path) -> None:
    characters = "a\t\n\r\x0b\x1c\x85\u2028\u3000 \\\u00e9映👩"
    tokenizer = Tokenizer.fit([characters], level="char", lowercase=False, splitting="ascii")
    table = np.arange(tokenizer.vocab_size, dtype=np.float32)[:, None]
    write_vectors(Vectors(tokenizer, table), tmp_path / "out", force=False)
    text = (tmp_path / "out" / METADATA_FILE).read_text("utf-8")
    lines = text.splitlines()
    assert len(lines) == text.count("\n") == tokenizer.vocab_size - 1
    assert len(set(lines)) == len(lines) and all(line.strip() and "\t" not in line for line in lines)
    assert {"a", r"\t", r"\n", r"\u2028", r"\x20", r"\u3000", "\\\\", "é", "映", "👩"} <= set(lines)


def test_words_stay_as_they_are() -> None:
    assert [escape(token) for token in ("a b", "don't", r"\t", "\t")] == ["a b", "don't", r"\\t", r"\t"]


def test_nothing_foreign_is_replaced(tmp_path: Path) -> None:
    vectors = Vectors(Tokenizer.fit(["one two"]), np.ones((4, 2), np.float32))
    out = tmp_path / "out"
    write_vectors(vectors, out, force=False)
    with pytest.raises(UsageError, match="exists; use force=True"):
        write_vectors(vectors, out, force=False)
    write_vectors(Vectors(vectors.tokenizer, vectors.table * 2), out, force=True)
    assert (out / TENSORS_FILE).read_text() == "2\t2\n" * 3
    (out / "mine.txt").touch()
    with pytest.raises(UsageError, match="holds mine.txt"):
        write_vectors(vectors, out, force=True)
    with pytest.raises(UsageError, match="is not a folder"):
        write_vectors(vectors, out / "mine.txt", force=True)


def test_a_failure_leaves_the_earlier_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = Vectors(Tokenizer.fit(["one two"]), np.ones((4, 2), np.float32))
    write_vectors(vectors, tmp_path / "out", force=False)

    def full(token: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rnn_cli.inspection.vectors.escape", full)
    with pytest.raises(WriteError, match="out: cannot be written .no space left on device"):
        write_vectors(Vectors(vectors.tokenizer, vectors.table * 2), tmp_path / "out", force=True)
    assert (tmp_path / "out" / TENSORS_FILE).read_text() == "1\t1\n" * 3
    assert [file.name for file in tmp_path.iterdir()] == ["out"]
