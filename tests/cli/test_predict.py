"""`rnn predict`: one answer a text, in order, in every format, whatever comes in."""

import csv
import io
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.lines import LINE_BYTES

from .conftest import COMMAND, Rnn, files_below, on_a_terminal

TEXTS = [
    "a warm, funny film",
    "",
    "   ",
    "dull\tand clumsy",
    "zzz qqq",
    '"quoted", with; signs',
    "=1+1",
    "[red]warm[/red] 🎬 長い",
    "lone\rreturn",
    "\u2028 separator",
    "dull\x00nul",
]


@pytest.fixture(autouse=True)
def known_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model of these tests knows few words; tests/cli/test_unknown.py is about the warning."""
    monkeypatch.setattr("rnn_cli.scoring.unknown.FAR", 1)


@pytest.fixture
def predict(rnn: Rnn, trained: Path):  # type: ignore[no-untyped-def]
    return lambda *words, stdin=b"": rnn("predict", "--model", str(trained), *words, stdin=stdin)


def lines_of(texts: list[str]) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()


def test_a_text_is_answered_as_the_predictor_answers_it(predict: Rnn, trained: Path) -> None:
    expected = Predictor.open(trained).predict(["a warm, funny film"])[0]
    assert predict("a warm, funny film") == (0, f"{expected.label}\t{expected.probability:.6f}\n", "")


def test_jsonl_gives_every_text_back_in_order(predict: Rnn) -> None:
    code, out, err = predict("--format", "jsonl", "--proba", stdin=lines_of(TEXTS))
    predicted = [json.loads(line) for line in out.removesuffix("\n").split("\n")]
    assert (code, err) == (0, "")
    assert [answer["text"] for answer in predicted] == TEXTS
    for answer in predicted:
        assert set(answer["probabilities"]) == {"bad", "good"}
        assert answer["probability"] == answer["probabilities"][answer["label"]]
    assert [answer["no_known_words"] for answer in predicted][1:5] == [True, True, False, True]


@pytest.mark.parametrize(("style", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_csv_and_tsv_give_every_text_back_in_order(style: str, delimiter: str, predict: Rnn) -> None:
    code, out, err = predict("--format", style, "--proba", stdin=lines_of(TEXTS))
    head, *records = csv.reader(io.StringIO(out, newline=""), delimiter=delimiter)
    assert (code, err) == (0, "")
    assert head == ["text", "label", "probability", "no_known_words", "p(bad)", "p(good)"]
    assert [record[0] for record in records] == TEXTS
    assert all(abs(float(record[4]) + float(record[5]) - 1) < 1e-5 for record in records)


@pytest.mark.parametrize("style", ["plain", "human"])
def test_a_line_a_text_in_the_other_formats(style: str, predict: Rnn) -> None:
    code, out, err = predict("--format", style, stdin=lines_of(TEXTS))
    assert code == 0
    assert re.fullmatch(r"Warning: \d+ texts? holds? no word the model knows; .*\n" if style == "plain" else "", err)
    assert out.count("\n") == len(out.splitlines()) == len(TEXTS)
    assert "\x1b" not in out


def test_texts_of_the_command_line_may_hold_anything(predict: Rnn) -> None:
    texts = ["two\nlines", "", "--debug", "-"]
    out = predict("--format", "jsonl", "--", *texts).out
    assert [json.loads(line)["text"] for line in out.splitlines()] == texts


def test_plain_with_every_probability(predict: Rnn) -> None:
    label, probability, bad, good = predict("--proba", "warm").out.rstrip("\n").split("\t")
    assert (label, f"good={probability}") == ("good", good)
    assert bad.startswith("bad=")


@pytest.mark.parametrize(
    ("stdin", "texts"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\n\n\nb\n", ["a", "", "", "b"]),
        (b"\xef\xbb\xbfa\nb\n", ["a", "b"]),
        (b"a\n\xef\xbb\xbfb\n", ["a", "\ufeffb"]),
        (b"word " * 60_000 + b"\n", ["word " * 60_000]),
        ("é".encode() * 300_000, ["é" * 300_000]),
        (b"x\n" * 200_000, ["x"] * 200_000),
    ],
    ids="empty one-empty no-last-end crlf empty-lines bom bom-later long split-characters many".split(),
)
def test_each_line_of_a_pipe_is_a_text(stdin: bytes, texts: list[str], predict: Rnn) -> None:
    code, out, err = predict("--format", "jsonl", stdin=stdin)
    assert (code, err) == (0, "")
    assert [json.loads(line)["text"] for line in out.splitlines()] == texts


def test_a_dash_is_the_pipe_too(predict: Rnn) -> None:
    assert predict("-", stdin=b"warm\ndull\n") == predict(stdin=b"warm\ndull\n")


def test_a_line_that_is_not_utf_8_is_named_after_the_lines_before_it(predict: Rnn) -> None:
    code, out, err = predict(stdin=b"warm\ndull\ncaf\xe9\nwarm\n")
    assert (code, out.count("\n")) == (2, 2)
    assert err == (
        "Error: standard input:3: byte 0xe9 at position 4 of the line is not UTF-8; "
        "convert the input, for example with iconv -f latin1 -t utf-8\n"
    )


def test_utf_16_is_told_too(predict: Rnn) -> None:
    code, out, err = predict(stdin="warm\n".encode("utf-16"))
    assert (code, out) == (2, "")
    assert err.startswith("Error: standard input:1: byte 0xff at position 1")


def test_a_line_without_end_is_refused_before_it_fills_the_memory(predict: Rnn) -> None:
    code, out, err = predict(stdin=b"warm\n" + b"x" * (LINE_BYTES + (1 << 19)))
    assert (code, out.count("\n")) == (2, 1)
    assert err == "Error: standard input:2: a line of more than 16 MiB; split it; each line is one text\n"


def test_a_word_of_the_command_line_that_is_not_utf_8(predict: Rnn) -> None:
    code, out, err = predict("warm", "caf\udce9")
    assert (code, out) == (2, "")
    assert err == "Error: text 2: is not UTF-8; check the terminal's encoding\n"


def test_without_a_model_the_general_one_answers_and_says_so(rnn: Rnn, home: Path) -> None:
    code, out, err = rnn("predict", "Not bad at all.")
    assert code == 0 and out.startswith("positive\t")
    assert err == (
        "no trained model in runs/: using the general model of short English opinions; train your own with rnn train "
        "FILE\n"
    )
    assert not files_below(home)
    named = rnn("predict", "--model", "general", "Not bad at all.")
    assert named == (0, out, "")
    assert rnn("-q", "predict", "Not bad at all.") == (0, out, "")


def test_a_trained_model_goes_before_the_general_one(rnn: Rnn, home: Path, trained: Path) -> None:
    (home / "runs").mkdir()
    (home / "runs/latest").symlink_to(trained)
    labels = json.loads(rnn("predict", "--proba", "--format", "jsonl", "warm").out)["probabilities"]
    assert set(labels) == {"good", "bad"}


def test_only_some_labels_are_predicted(rnn: Rnn, home: Path) -> None:
    text = "The curtains are green and the food was okay."
    every = json.loads(rnn("predict", "--model", "general", "--proba", "--format", "jsonl", text).out)
    two = json.loads(
        rnn(
            *("predict", "--model", "general", "--labels", "positive, negative"),
            *("--proba", "--format", "jsonl", text),
        ).out
    )
    assert list(two["probabilities"]) == ["negative", "positive"]
    left = [every["probabilities"][label] for label in ("negative", "positive")]
    assert list(two["probabilities"].values()) == pytest.approx([each / sum(left) for each in left], abs=1e-3)
    for labels, error in (("positive", "one label leaves nothing to decide"), ("positive,good", "no such label: good")):
        code, out, err = rnn("predict", "--model", "general", "--labels", labels, text)
        assert (code, out) == (2, "") and err.startswith(f"Error: labels: {error}") and err.count("\n") == 1


def test_the_environment_names_the_model(rnn: Rnn, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNN_MODEL", str(trained))
    assert rnn("predict", "warm").code == 0


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "manifest.json"])
def test_a_damaged_model_is_refused(name: str, rnn: Rnn, newest: Path) -> None:
    content = bytearray((newest / name).read_bytes())
    content[len(content) // 2] ^= 1
    (newest / name).write_bytes(content)
    code, out, err = rnn("predict", "warm")
    assert (code, out) == (2, "")
    assert f"{name}: " in err and "checksum differs" in err and err.count("\n") == 1


def test_answers_flow_while_lines_come(trained: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "predict", "--model", str(trained)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin and child.stdout
        for text in (b"warm\n", b"dull\n"):
            child.stdin.write(text)
            child.stdin.flush()
            assert child.stdout.readline().endswith(b"\n")  # the pipe is still open
        child.stdin.close()
        assert child.wait(timeout=30) == 0


def test_a_closed_pipe_ends_it_silently(trained: Path) -> None:
    command = shlex.join([*COMMAND, "predict", "--model", str(trained)])
    ended = subprocess.run(
        ["bash", "-c", f"yes warm | head -100000 | {command} | head -1; echo ${{PIPESTATUS[2]}}"],
        capture_output=True,
        timeout=60,
    )
    answer, code = ended.stdout.decode().splitlines()
    assert answer.startswith("good\t")
    assert (code, ended.stderr) == ("141", b"")


def test_a_terminal_shows_lines_for_people(trained: Path) -> None:
    texts = ["warm", "zzz", "[red]dull\x1b[2J " * 30]
    shown, (code, _, _) = on_a_terminal("predict", "--model", str(trained), *texts, columns=60)
    known, unknown, long, *warning = shown.splitlines()
    assert "are unknown to the model" in " ".join(warning) and all(len(line) <= 60 for line in warning)
    assert code == 0
    assert known.startswith("good") and known.endswith("%  warm")
    assert "(no known word)" in unknown
    assert "[red]dull\ufffd[2J" in long and len(long) <= 60 and long.endswith("…")


def test_a_terminal_shows_the_most_probable_label_first(trained: Path) -> None:
    shown, _ = on_a_terminal("predict", "--model", str(trained), "--proba", "warm funny")
    assert re.fullmatch(r"good   +\d+\.\d%  \[good \d+\.\d%, bad \d+\.\d%\]  warm funny\r?\n", shown)


def test_a_terminal_without_a_text_asks_for_one(trained: Path) -> None:
    _, (code, out, err) = on_a_terminal("predict", "--model", str(trained), streams=["stdin"])
    assert (code, out) == (2, "")
    assert err == 'Error: no text; give one, as in rnn predict "some sentence", or pipe lines in\n'


def test_a_file_given_as_a_text_is_scored_but_remarked_upon(predict: Rnn, home: Path) -> None:
    (home / "warm.txt").write_text("a warm film\n")
    code, out, err = predict("warm.txt")
    assert (code, out.count("\n")) == (0, 1)
    assert err.startswith("Warning: warm.txt is taken as a text; rnn predict < warm.txt reads its lines\n")
    for name in ("warm.csv.gz", "warm.NDJSON", "warm.pq"):
        (home / name).write_text("any")
        err = predict(name).err
        assert err.startswith(f"Warning: {name} is taken as a text; rnn score {name} scores its rows\n")


# Files, which are those of `rnn score` now

OLD = "Warning: rnn predict --input is now called rnn score: rnn score FILE --output OUT\n"


def test_files_are_scored_by_the_old_name_too(rnn: Rnn, trained: Path, home: Path) -> None:
    (home / "logs").mkdir()
    (home / "logs" / "a.txt").write_text("id;says\n1;warm\n2\n3;d\x00ull\n4;=warm\n", encoding="utf-16")
    (home / "b.txt").write_text("id;says\n5;warm\n", encoding="utf-16")
    words = ["--model", str(trained), "--proba", "--text-column", "says", "--prefix", "p_", "--precision", "fp32"]
    words += ["--input-format", "csv", "--delimiter", ";", "--encoding", "utf-16", "--strip-nul", "--spreadsheet-safe"]
    words += ["--max-field-bytes", "1000", "--on-bad-row", "mark", "--threads", "1", "--engine", "local"]
    ended = rnn("predict", "--input", "logs", "b.txt", *words, "--output", "old.tsv", "--rejects", "old.jsonl")
    assert (ended.code, ended.out) == (0, "") and ended.err.startswith(OLD) and ended.err.count("Warning: rnn") == 1
    assert rnn("score", "logs", "b.txt", *words, "--output", "new.tsv", "--rejects", "new.jsonl").code == 0
    old, new = (home / "old.tsv").read_text(), (home / "new.tsv").read_text()
    assert old == new and len(old.splitlines()) == 6 and "\t'=warm\t" in old
    assert (home / "old.jsonl").read_text() == (home / "new.jsonl").read_text() != ""
    again = [*words, "--output", "old.tsv", "--rejects", "old.jsonl"]
    assert rnn("predict", "--input", "logs", "--input", "b.txt", *again).err.count("\n") == 2  # it exists
    assert rnn("predict", "--input", "logs", "--input", "b.txt", *again, "--force", "-q").err.startswith(OLD)
    assert (home / "old.tsv").read_text() == new
    assert rnn("predict", "--input", "b.txt", *again, "--resume").code == 2
    pipe = rnn("predict", "--model", str(trained), "--input", "-", "--format", "jsonl", stdin=b'{"text": "warm"}\n')
    assert json.loads(pipe.out)["label"] == "good"


@pytest.mark.parametrize(
    ("line", "error"),
    {
        "--output out.csv warm": "--output is for files of rows; use rnn score FILE",
        "--on-bad-row skip warm": "--on-bad-row is for files of rows; use rnn score FILE",
        "--engine local warm": "--engine is for files of rows; use rnn score FILE",
        "--format parquet warm": "--format parquet is for files of rows; use rnn score FILE",
        "--input in.csv --explain": "--explain is for texts, not for files; pipe the texts in, a line each",
    }.items(),
)
def test_options_of_files_are_not_for_texts(line: str, error: str, predict: Rnn, home: Path) -> None:
    assert predict(*line.split()) == (2, "", f"Error: {error}\n")
    assert not files_below(home)


def test_the_help_shows_what_is_for_texts_alone(rnn: Rnn) -> None:
    shown = rnn("predict", "--help").out
    assert "--input" not in shown and "--output" not in shown and "rnn score" in shown
    assert "--spreadsheet-safe" in rnn("score", "--help").out
