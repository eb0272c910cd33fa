"""Names, labels and texts that would take over a terminal, a shell or a file: shown, quoted, kept, and no more."""

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest
import yaml

from rnn_cli.bundle.model_folder import sign, unsign
from rnn_cli.cli.layout import for_terminal, paragraph, to_json
from rnn_cli.config.load import load_config, parse_config, parse_override, to_yaml
from rnn_cli.errors import quoted
from rnn_cli.text.plain import UNSEEN

from .conftest import Rnn, on_a_terminal, tiny_overrides

OWNED = "\x1b]0;owned\x07\x9b2J\u202e"
"""A new title, a bell, an emptied screen in one character, and letters from right to left."""

NAME = f"da  ta' \"$(touch x){OWNED}\n.csv"
TEXT, LABEL, BY = f"te xt'{OWNED}\n", f"la bel{OWNED}\n# x: y", f"by {OWNED}"
LABELS = [f"good{OWNED}\n# x: y", f"ba d'\"`{OWNED}"]
COLUMNS = ["--set", f"data.text_column={json.dumps(TEXT)}", "--set", f"data.label_column={json.dumps(LABEL)}"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of rows."""
    folder = tmp_path_factory.mktemp("hostile")
    with (folder / NAME).open("w", encoding="utf-8", newline="") as stream:
        words = ["warm lovely film", "dull bland plot"]
        rows = [(f"{words[row % 2]} {OWNED} {row}", LABELS[(row + (row % 9 == 0)) % 2], OWNED) for row in range(80)]
        csv.writer(stream).writerows([(TEXT, LABEL, BY), *rows])
    return folder


@pytest.fixture(scope="module")
def model(place: Path, tiny: dict[str, dict[str, object]]) -> tuple[Path, str]:
    """A model of these rows, trained on a terminal, and what that showed."""
    out = place / f"mo  del'{OWNED}"
    words = tiny_overrides(tiny, training__epochs=2)
    source = f"data.source={json.dumps(str(place / NAME))}"
    shown, ended = on_a_terminal("train", "quick", *words, "--set", source, *COLUMNS, "--out", str(out), raw=True)
    assert ended.code == 0, shown
    return out, shown


def assert_harmless(shown: str) -> None:
    assert not set(shown) & set("\x07\x9b\u202e") and "\x1b]" not in shown
    assert "owned" in shown


def test_training_shows_it_harmlessly_and_tells_commands_that_work(model: tuple[Path, str]) -> None:
    out, shown = model
    assert_harmless(shown)
    (line,) = (line for line in shown.splitlines() if line.startswith("       rnn evaluate --model "))
    word = line.removeprefix("       rnn evaluate --model ")
    assert subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True).stdout == bytes(out)


def cases(place: Path) -> Path:
    """A file of behaviour tests, each of which fails and is told by a name and texts."""
    file = place / f"ca ses{OWNED}.yaml"
    pairs = [[f"x {OWNED} {number}", f"warm {OWNED} {number} dull"] for number in range(9)]
    tests: list[dict[str, object]] = [{"name": f"a{OWNED}", "kind": "same", "pairs": pairs}]
    tests += [
        {"name": f"{OWNED} {label}", "kind": "label", "expect": label, "templates": [each for each, _ in pairs]}
        for label in (*LABELS, f"no{OWNED}")
    ]
    file.write_text(json.dumps({"tests": tests}), encoding="utf-8")  # JSON is YAML
    return file


@pytest.mark.parametrize(
    "words",
    [
        ["evaluate", "--by", BY, "--report", f"r{OWNED}.html"],
        ["evaluate", "--data", "FILE", "--threshold", "0.3"],
        ["evaluate", "--json"],
        ["predict", "--format", "csv", "--proba", f"warm {OWNED}\r\n x", "FILE"],
        ["predict", "--format", "jsonl", "--proba", f"warm {OWNED}\n x"],
        ["score", "FILE", "--text-column", TEXT],
        ["score", "FILE", "--text-column", "none"],
        ["inspect", "tokens", "--json", OWNED],
        ["inspect", "reading", f"warm {OWNED} x", "--out", f"c{OWNED}.svg"],
        ["inspect", "reading", "--json", f"warm {OWNED} x"],
        ["inspect", "behaviour", "CASES"],
        ["inspect", "behaviour", "CASES", "--json"],
        ["inspect", "model"],
        ["inspect", "model", "--json"],
        ["export", "--to", f"e{OWNED}"],
    ],
    ids=lambda words: " ".join(words)[:20],
)
def test_a_terminal_gets_nothing_that_moves_it(words: list[str], model: tuple[Path, str], place: Path) -> None:
    words = [{"FILE": str(place / NAME), "CASES": str(cases(place))}.get(word, word) for word in words]
    shown, _ = on_a_terminal(*words, "--model", str(model[0]), raw=True)
    assert_harmless(shown)
    assert "fault of rnn" not in shown


@pytest.mark.parametrize("words", [["data", "check", "FILE", *COLUMNS], ["init", "FILE"], ["config", "show", "FILE"]])
def test_what_looks_at_a_file_moves_no_terminal(words: list[str], place: Path) -> None:
    shown, _ = on_a_terminal(*(str(place / NAME) if word == "FILE" else word for word in words), raw=True)
    assert_harmless(shown)


def test_a_pipe_gets_every_character(model: tuple[Path, str], process: Rnn, place: Path) -> None:
    text = f"warm \x1b[31mred {OWNED} \r x"
    for style in ("csv", "tsv"):
        ended = process("predict", "--model", str(model[0]), "--format", style, "--proba", text)
        header, row = csv.reader(io.StringIO(ended.out, newline=""), delimiter={"csv": ",", "tsv": "\t"}[style])
        assert row[0] == text and row[1] in LABELS
        assert header[-2:] == [f"p({label})" for label in sorted(LABELS)]
    ended = process("predict", "--model", str(model[0]), "--format", "jsonl", text)
    assert json.loads(ended.out)["text"] == text


def test_the_bundles_tables_hold_every_character(model: tuple[Path, str], place: Path) -> None:
    with (place / NAME).open(encoding="utf-8", newline="") as stream:
        rows = {(text, label) for text, label, _ in list(csv.reader(stream))[1:]}
    with (model[0] / "predictions.csv").open(encoding="utf-8", newline="") as stream:
        kept = list(csv.DictReader(stream))
    assert len(kept) == 32 and {(row["text"], row["label"]) for row in kept} <= rows
    assert {row["prediction"] for row in kept} <= set(LABELS)
    config = (model[0] / "config.yaml").read_text(encoding="utf-8")
    assert config.replace("\n", "").isprintable()
    assert parse_config(config, "").data.label_column == LABEL


def test_a_config_written_for_such_a_file_reads_back(rnn: Rnn, place: Path, home: Path) -> None:
    ended = rnn("init", str(place / NAME), *COLUMNS, "--out", "it's.yaml")
    assert ended.code == 0, ended.err
    assert 'rnn train "it\'s.yaml"' in ended.out
    config = load_config("it's.yaml").data
    assert (config.source, config.text_column, config.label_column) == (str(place / NAME), TEXT, LABEL)
    written = Path("it's.yaml").read_text(encoding="utf-8")
    assert written.replace("\n", "").isprintable()
    assert list(yaml.safe_load(written)) == ["data", "tokenizer", "model", "training"]


WORDS = ["plain", "a b", "a  b ", "it's", '"$(x)`', f"a{OWNED}\n\\'b", "été 👩‍👩‍👧", "\u202eabc", "a\udcffb"]
WORDS += ["~", "-x", "", "*?[a]", "#a", "!a", "it's $HOME", "it's `x`", "it's !a", "it's \\a", "it's *"]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_a_command_is_read_by_a_shell_as_it_was(word: str) -> None:
    written = quoted(word)
    assert written.isprintable() and " ".join(written.split()) == written
    read = subprocess.run(["bash", "-c", f"printf %s {written}"], capture_output=True).stdout
    assert read == word.encode("utf-8", "surrogateescape")


def test_what_is_typed_again_is_quoted(rnn: Rnn, trained: Path, home: Path) -> None:
    for name in ("it's.txt", "it's.csv"):
        (home / name).write_text("te xt,label\nwarm,good\ndull,bad\n")
    told = rnn("predict", "--model", str(trained), "it's.txt", "it's.csv").err
    assert 'rnn predict < "it\'s.txt" reads its lines' in told
    assert 'rnn score "it\'s.csv" scores its rows' in told
    told = rnn("data", "check", "it's.csv", "--set", "data.text_column=te_xt").err
    assert "did you mean --text-column 'te xt'?" in told
    assert 'use rnn train "it\'s.csv"' in rnn("config", "show", "it's.csv").err
    (home / "it's.unfinished").mkdir()
    assert 'rnn train --resume "it\'s.unfinished"' in rnn("predict", "--model", "it's.unfinished", "warm").err


def test_a_path_is_no_option() -> None:
    assert quoted(Path("-x")) == "./-x"


def test_json_has_escapes_for_what_moves_a_terminal() -> None:
    value = {OWNED: ["\ud800", "\ufeff\u2028", "é👩"]}
    written = to_json(value)
    assert written.isprintable() and "é👩" in written
    assert json.loads(written) == value


def test_lines_of_a_file_keep_their_ends_on_a_terminal() -> None:
    assert for_terminal(f"a\tb\r\nc\rd{OWNED}\n") == "a\tb\r\nc\ufffdd\ufffd]0;owned\ufffd\ufffd2J\ufffd\n"


def test_a_paragraph_moves_no_terminal() -> None:
    assert not set(paragraph(f"good {OWNED} words")) & set(map(chr, UNSEEN))


def test_yaml_shows_what_it_holds() -> None:
    config = load_config(None, [*map(parse_override, [f"data.source={json.dumps(NAME)}"])])
    written = to_yaml(config)
    assert written.replace("\n", "").isprintable()
    assert parse_config(written, "") == config


def test_a_manifest_may_tell_of_a_path_that_is_no_text() -> None:
    content = {"format_version": 1, "model": "m\udcfe é"}
    text = sign(content)
    assert text.encode("utf-8") and "é" in text
    assert unsign(text, where="", newest=1) == content
