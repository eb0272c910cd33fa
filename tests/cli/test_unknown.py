"""Texts of another language: sentences, files and labelled rows get the same warning."""

from pathlib import Path

from .conftest import Rnn

FOREIGN = "Der Film war leider viel zu lang und die Musik gefiel mir gar nicht"


def test_all_commands_warn_alike(rnn: Rnn, trained: Path, home: Path) -> None:
    texts = [FOREIGN] * 20
    Path("new.csv").write_text(
        "text,label\n" + "".join(f"{text} {n},good\n{text} nein {n},bad\n" for n, text in enumerate(texts))
    )
    model = ("--model", str(trained))
    said = {}
    for words in (
        ("predict", *model, *texts),
        ("score", *model, "new.csv", "--prefix", "predicted_", "--output", "out.csv"),
        ("evaluate", *model, "--data", "new.csv"),
    ):
        code, _, err = rnn(*words)
        assert code == 0, err
        said[words[0]] = [line for line in err.splitlines() if "are unknown to the model" in line]
    assert all(len(lines) == 1 and lines[0].startswith("Warning: ") for lines in said.values()), said
    code, _, err = rnn("predict", *model, "warm")
    assert "are unknown" not in err
