"""`rnn predict --explain`: on a terminal a text to look at, in a pipe its parts and their weights."""

import json
import os
import pty
import re
import subprocess
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from rnn_cli.cli.show_predictions import shown_explanation
from rnn_cli.scoring.explain import explain_texts
from rnn_cli.scoring.prediction import Part
from rnn_cli.scoring.predictor import Predictor

from .conftest import COMMAND, Ended, Rnn, on_a_terminal

TEXT = "The warm, FUNNY zzqq film\twas dull!"


@pytest.fixture
def predict(rnn: Rnn, trained: Path):  # type: ignore[no-untyped-def]
    return lambda *words, stdin=b"": rnn("predict", "--model", str(trained), "--explain", *words, stdin=stdin)


def raw_terminal(*words: str, **environment: str) -> str:
    """What a terminal of 80 columns is sent, escapes included."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([*COMMAND, *words], stdin=theirs, stdout=theirs, env=os.environ | environment) as child:
        os.close(theirs)
        sent = b""
        try:
            while chunk := os.read(ours, 65536):
                sent += chunk
        except OSError:  # the terminal's end
            os.close(ours)
        assert child.wait(60) == 0
    return sent.decode()


def test_jsonl_gives_the_parts_as_they_are_weighed(predict: Rnn, trained: Path) -> None:
    texts = [TEXT, "", "a dull plot"]
    code, out, err = predict("--format", "jsonl", stdin="".join(f"{text}\n" for text in texts).encode())
    predicted = [json.loads(line) for line in out.splitlines()]
    assert (code, err, [answer["text"] for answer in predicted]) == (0, "", texts)
    for answer, parts in zip(predicted, explain_texts(Predictor.open(trained), texts), strict=True):
        assert [each["text"] for each in answer["explanation"]] == [answer["text"][p.start : p.end] for p in parts]
        assert [(each["start"], each["end"]) for each in answer["explanation"]] == [(p.start, p.end) for p in parts]
        assert [each["weight"] for each in answer["explanation"]] == pytest.approx([p.weight for p in parts], rel=1e-5)
    metrics = re.findall(r'"weight": (-?[\d.e-]+)', out)
    assert max(len(figure.lstrip("-0.").partition("e")[0].replace(".", "")) for figure in metrics) == 6


def test_all_else_of_the_answer_is_as_without_it(predict: Rnn, rnn: Rnn, trained: Path) -> None:
    words = ("--format", "jsonl", "--proba", TEXT)
    explained, plain = (
        json.loads(out) for out in (predict(*words).out, rnn("predict", "--model", str(trained), *words).out)
    )
    assert explained.pop("explanation")
    assert explained == plain


def test_a_pipe_gets_jsonl_unless_another_format_is_named(predict: Rnn) -> None:
    assert predict(TEXT) == predict("--format", "jsonl", TEXT)


@pytest.mark.parametrize("style", ["plain", "csv", "tsv"])
def test_formats_without_a_place_for_it_are_refused(style: str, predict: Rnn) -> None:
    code, out, err = predict("--format", style, "warm")
    assert (code, out) == (2, "")
    assert err == f"Error: --format {style} has no place for an explanation; use --format jsonl\n"


def test_more_texts_than_are_explained_at_once(predict: Rnn) -> None:
    stdin = "".join(f"warm film {number}\n" for number in range(50)).encode()
    predicted = [json.loads(line) for line in predict("--format", "jsonl", stdin=stdin).out.splitlines()]
    assert [answer["text"].split()[-1] for answer in predicted] == [str(number) for number in range(50)]
    assert all(len(answer["explanation"]) == 3 for answer in predicted)


def test_a_terminal_shows_the_answer_the_text_and_the_strongest(trained: Path) -> None:
    ended: Ended
    shown_, ended = on_a_terminal("predict", "--model", str(trained), "--explain", "a splendid plot", "dull\x1b[2J")
    first, text, strongest, *_ = lines = shown_.replace("\r", "").split("\n")
    assert ended.code == 0
    assert re.fullmatch(r"good +\d+\.\d%  a splendid plot", first)
    assert text == "    a splendid plot"
    assert re.match(r"    for      splendid \+\d+\.\d\d", strongest)
    assert "" in lines[3:6]  # between the texts
    assert "    dull\ufffd[2J" in lines


def test_colours_are_sent_to_terminals_alone_and_not_where_they_are_unwanted(trained: Path, predict: Rnn) -> None:
    words = ("predict", "--model", str(trained), "--explain", "a splendid plot")
    coloured, without = raw_terminal(*words), raw_terminal(*words, NO_COLOR="1")
    assert click.style("splendid", fg="green", bold=True, underline=True) in coloured
    assert "\x1b" not in without
    assert without == click.unstyle(coloured)
    piped = predict("--format", "human", "a splendid plot")
    assert piped.code == 0 and piped.out == without.replace("\r", "")


def test_strength_is_told_in_steps_and_no_colour_by_what_changes_nothing() -> None:
    text = "one two three four five six"
    weights = [3.0, 1.5, -0.5, 0.1, 0.0, -2.5]
    parts = [
        Part(match.start(), match.end(), weight)
        for match, weight in zip(re.finditer(r"\w+", text), weights, strict=True)
    ]
    one, two, three, rest, six = (
        click.style("one", fg="green", bold=True, underline=True),
        click.style("two", fg="green", bold=True),
        click.style("three", fg="red"),
        "four five",
        click.style("six", fg="red", bold=True, underline=True),
    )
    painted, speaks_for, speaks_against = shown_explanation(text, parts).splitlines()
    assert painted == f"    {one} {two} {three} {rest} {six}"
    assert speaks_for == "    for      one +3.00  two +1.50  four +0.10"
    assert speaks_against == "    against  six -2.50  three -0.50"


def test_where_no_word_matters_nothing_is_coloured_or_named() -> None:
    assert shown_explanation("warm", [Part(0, 4, 0.004)]) == "    warm\n"
    assert shown_explanation(" ", []) == ""


@given(text=st.text(st.sampled_from("ab,長🎬\u0301 \n")), width=st.integers(8, 40), cuts=st.sets(st.integers(0, 60)))
def test_a_text_is_wrapped_to_the_terminal_and_none_of_it_lost(text: str, width: int, cuts: set[int]) -> None:
    edges = sorted(cut for cut in cuts if cut < len(text))
    parts = [Part(start, end, 0.001) for start, end in zip(edges, edges[1:], strict=False)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnn_cli.cli.show_predictions.terminal_width", lambda: width)
        lines = shown_explanation(text, parts).splitlines()
        patch.setattr("rnn_cli.cli.show_predictions.LEAST", 0.0)  # all is coloured
        coloured = shown_explanation(text, parts).splitlines()
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cell_len(line) <= width and line.startswith("    ") for line in lines)
    assert [click.unstyle(line) for line in coloured[: len(lines)]] == lines
