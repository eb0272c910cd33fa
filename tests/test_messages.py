"""Messages are wrapped at words on a terminal, and what a reader may copy stays whole."""

import sys

import pytest

from rnn_cli import messages
from rnn_cli.messages import tell, wrapped

MESSAGE = (
    "Error: /data/my reviews/of a long year.csv:12: 3 fields where the header has 2; use --delimiter ';' or "
    "--label-column team, or write rnn score new.csv --output out.csv --model runs/quick-1, which reads the "
    "columns by data.columns=[text, label] and data.text_column=body"
)
WHOLE = (
    "/data/my reviews/of a long year.csv:12:",
    "--delimiter ';'",
    "--label-column team,",
    "rnn score new.csv --output out.csv --model runs/quick-1,",
    "data.columns=[text, label]",
    "data.text_column=body",
)


@pytest.mark.parametrize("columns", range(20, 121))
def test_lines_break_at_words_but_not_within_what_may_be_copied(columns: int) -> None:
    lines = wrapped(MESSAGE, columns, whole=["/data/my reviews/of a long year.csv:12"]).splitlines()
    assert " ".join(lines) == MESSAGE
    for whole in WHOLE:
        assert sum(whole in line for line in lines) == 1, whole
    assert all(len(line) <= columns or line in WHOLE for line in lines)


@pytest.mark.parametrize(
    "command",
    [
        "rnn train --resume runs/quick-1",
        "rnn data check mine.yaml < FILE",
        "rnn predict < texts.txt",
        "pip install 'rnn-cli[zstd]'",
        "rnn train quick --set data.delimiter=' '",
        "--quoting none",
        "rnn config show short-text",
        r"rnn train $'a\x20 b.yaml' --out models/new",
    ],
)
def test_a_command_stays_whole_in_any_place(command: str) -> None:
    for before in range(40):
        for columns in (40, len(command) + 1):
            text = f"{'a' * before} it's what others' files need: {command}, as it goes on (see rnn train --help)"
            lines = wrapped(text, columns).splitlines()
            assert any(f"{command}," in line for line in lines), lines
            assert any("rnn train --help" in line for line in lines), lines


def test_prose_within_quotes_is_broken_only_where_it_is_longer_than_a_line() -> None:
    assert wrapped("a label 'two words' here", 14).splitlines() == ["a label", "'two words'", "here"]
    broken = wrapped("a text 'of many more words than that' here", 14)
    assert broken.splitlines() == ["a text 'of", "many more", "words than", "that' here"]


def test_a_wide_character_takes_two_columns() -> None:
    assert wrapped("長い名前 です ね", 12).splitlines() == ["長い名前", "です ね"]


def test_indents_and_double_spaces_stay() -> None:
    text = "tokens  a  film  of  old"
    assert wrapped(text, 18, first="  ", further="    ").splitlines() == ["  tokens  a  film", "    of  old"]


@pytest.mark.parametrize(("columns", "lines"), [(None, 1), (80, 4), (300, 1)])
def test_a_pipe_keeps_one_line(
    columns: int | None, lines: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "stderr_columns", lambda: columns)
    tell(MESSAGE)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == lines and " ".join(said) == MESSAGE


def test_a_terminal_without_a_width_has_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "fileno", lambda: 2)
    monkeypatch.setattr(messages.os, "get_terminal_size", lambda _: messages.os.terminal_size((0, 0)))
    assert messages.stderr_columns() == 80
