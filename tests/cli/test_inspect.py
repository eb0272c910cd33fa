"""`rnn inspect`: what is shown, and what is told when it cannot be."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len

from rnn_cli.bundle.model_folder import TOKENIZER, Bundle
from rnn_cli.cli.show_gradients import chart, decay_table, figure, sentences, verdicts
from rnn_cli.inspection.decay import Decay, Lesson, Spread
from rnn_cli.inspection.vectors import read_vectors
from rnn_cli.text.tokenizer import Tokenizer

from .conftest import COMMAND, Rnn, on_a_terminal, tiny_overrides

TEXTS = ["a warm, funny film", "", "zzz dull 長い 👩‍👩‍👧 שלום", "film " * 30, "x\x1b[2Jy \u202ez"]


def test_tokens_as_json_are_what_the_model_reads(rnn: Rnn, newest: Path) -> None:
    tokenizer = Tokenizer.from_json((newest / TOKENIZER).read_text("utf-8"))
    code, out, err = rnn("inspect", "tokens", "--json", *TEXTS)
    found = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [each["text"] for each in found] == TEXTS
    assert [each["ids"] for each in found] == tokenizer.encode_all(TEXTS)
    assert {len(each["padded"]) for each in found} == {12}
    assert sum(token["kept"] for token in found[3]["tokens"]) == 12
    # The emoji of a family are a token each.
    assert [token["known"] for token in found[2]["tokens"]] == [False, True, *[False] * 5]


def test_tokens_stand_above_their_ids(rnn: Rnn, newest: Path) -> None:
    tokenizer = Tokenizer.from_json((newest / TOKENIZER).read_text("utf-8"))
    code, out, _ = rnn("inspect", "tokens", *TEXTS)
    lines = out.splitlines()
    assert code == 0
    assert "\x1b" not in out and "\u202e" not in out
    pairs = [(line, lines[at + 1]) for at, line in enumerate(lines) if line.startswith("tokens")]
    assert all(cell_len(tokens) == cell_len(ids) for tokens, ids in pairs)
    assert pairs[0][0].split() == ["tokens", "a", "warm", "funny", "film"]
    assert pairs[0][1].split() == ["ids", *map(str, tokenizer.encode(TEXTS[0]))]
    assert pairs[1][0].split()[1:3] == ["zzz?", "dull"]
    assert "no token, so it is read as one unknown token, id 1" in lines
    assert "30 word tokens; 18 cut away (-), since max_length is 12: the beginning is read" in lines
    batch = lines[next(at for at, line in enumerate(lines) if line.startswith("as one batch, [5, 12]")) + 1 :]
    assert [int(batch[1].split()[at]) for at in range(12)] == [1, *[0] * 11]


def test_tokens_fit_the_terminal(newest: Path) -> None:
    shown, ended = on_a_terminal("inspect", "tokens", "warm " * 40, "長い映画 " * 9, columns=48)
    assert ended.code == 0
    assert max(cell_len(line) for line in shown.splitlines()) <= 48
    assert "…" in shown


def test_the_first_tokens_are_shown_as_vectors(rnn: Rnn, newest: Path) -> None:
    vectors = read_vectors(Bundle.open(newest))
    width, ids = vectors.tokenizer.vocab_size, vectors.tokenizer.encode("warm zzz a")
    lines = rnn("inspect", "tokens", "warm zzz a").out.splitlines()
    shown = lines[lines.index("as vectors, the first tokens of text 1") + 1 :]
    for place, id in enumerate(ids):
        token, one_hot, embedding = shown[3 * place : 3 * place + 3]
        assert token == f"{vectors.tokenizer.vocab[id]}, id {id}"
        digits = " ".join("1" if at == id else "0" for at in range(6))
        assert one_hot == f"  one-hot    {digits} … ({width} wide, one 1 at {id})"
        assert [float(each) for each in embedding.split()[1:7]] == [round(x, 3) for x in vectors.table[id].tolist()[:6]]
    assert shown[-1] == f"An embedding is the one-hot times a matrix, here {width} × 8: one of its rows."
    found = json.loads(rnn("inspect", "tokens", "--json", "warm zzz a").out)["vectors"]
    assert [each["one_hot"] for each in found] == [{"width": width, "one_at": id} for id in ids]
    np.testing.assert_allclose([each["embedding"] for each in found], vectors.table[ids], rtol=1e-5)


def test_a_config_alone_shows_tokens_and_widths(rnn: Rnn, home: Path) -> None:
    code, out, err = rnn("inspect", "tokens", "--config", "char", "Dull.", "")
    assert (code, err) == (0, "")
    assert "tokens  d  u  l  l  .\n" in out and "5 char tokens\n" in out
    assert "at most 5,000 (tokenizer.vocab_size)" in out and "An embedding of 64 numbers" in out


def test_a_model_is_shown_with_its_layers_and_its_figures(rnn: Rnn, newest: Path) -> None:
    code, out, err = rnn("inspect", "model")
    told = json.loads(rnn("inspect", "model", "--json").out)
    assert (code, err) == (0, "")
    for layer in told["layers"]:
        assert any(line.startswith(layer["name"]) and layer["what"] in line for line in out.splitlines())
    assert re.search(rf"^total +{told['parameters']:,}$", out, re.M)
    assert re.search(rf"^accuracy +{told['test']['accuracy']:.1%} +[0-9.]+% to ", out, re.M)
    assert told["data"]["fingerprint"] in out and "48 train, 16 validation, 16 test" in out
    shown, _ = on_a_terminal("inspect", "model")
    assert max(cell_len(line) for line in shown.splitlines()) <= 80


def test_a_reading_in_a_pipe_is_a_line_a_token(rnn: Rnn, newest: Path) -> None:
    code, out, err = rnn("inspect", "reading", "it was a warm zzz film")
    told = json.loads(rnn("inspect", "reading", "--json", "it was a warm zzz film").out)
    lines = [line.split() for line in out.splitlines()[3:9]]
    assert (code, err) == (0, "") and "\x1b" not in out
    assert [line[1] for line in lines] == ["it", "was", "a", "warm", "zzz?", "film"]
    assert [line[2] for line in lines] == [f"{each['probability']:.1%}" for each in told["tokens"]]
    assert [line[-1] for line in lines] == [each["prediction"] for each in told["tokens"]]
    assert [len(line[3]) for line in lines] == [round(20 * each["probability"]) for each in told["tokens"]]
    (label, probability) = rnn("predict", "it was a warm zzz film").out.split()
    assert (told["tokens"][-1]["prediction"], f"{told['tokens'][-1]['probability']:.6f}") == (label, probability)
    # A character a token, a line a unit; the lowest and the highest state stand at the ends of the scale.
    maps = {line[:4]: line[12:] for line in out.splitlines() if re.match("1 [→←] ", line)}
    assert {each[2] for each in maps} == {"→", "←"} and {len(each) for each in maps.values()} == {6}


def test_a_reading_tells_what_it_could_not_read(rnn: Rnn, newest: Path) -> None:
    assert "no token, so it is read as one unknown token, id 1" in rnn("inspect", "reading", "").out
    assert "(no known word)" in rnn("inspect", "reading", "zzz").out
    out = rnn("inspect", "reading", "film " * 20).out
    assert "20 word tokens; 8 cut away (-), since max_length is 12: the beginning is read" in out


@pytest.mark.parametrize("text", ["warm film", "film " * 11 + "長い映画", "x\x1b[2Jy \u202ez", ""])
@pytest.mark.parametrize("columns", [40, 80])
def test_a_reading_fits_the_terminal(newest: Path, text: str, columns: int) -> None:
    shown, ended = on_a_terminal("inspect", "reading", text, columns=columns)
    assert ended.code == 0 and "Error" not in shown
    assert max(cell_len(line) for line in shown.splitlines()) <= columns
    assert "\u202e" not in shown


def test_only_a_terminal_gets_colour(rnn: Rnn, newest: Path) -> None:
    shown, _ = on_a_terminal("inspect", "reading", "a warm film", raw=True)
    assert "\x1b[32m" in shown


def test_neighbours_are_shown_nearest_first(rnn: Rnn, newest: Path) -> None:
    code, out, err = rnn("inspect", "neighbours", "WARM", "-n", "4", "--json")
    found = json.loads(out)
    assert (code, err, found["token"], len(found["neighbours"])) == (0, "", "warm", 4)
    similarities = [each["similarity"] for each in found["neighbours"]]
    assert similarities == sorted(similarities, reverse=True)
    rows = rnn("inspect", "neighbours", "WARM", "-n", "4").out.splitlines()[4:]
    assert [row.split()[0] for row in rows] == [each["token"] for each in found["neighbours"]]


def test_an_embedding_is_written_once(rnn: Rnn, newest: Path, home: Path) -> None:
    code, out, _ = rnn("inspect", "embedding", "--out", "my cloud")
    assert code == 0 and "tensorboard --logdir 'my cloud'" in out
    assert sorted(file.name for file in (home / "my cloud").iterdir()) == [
        "metadata.tsv",
        "projector_config.pbtxt",
        "tensors.tsv",
    ]
    assert rnn("inspect", "embedding", "--out", "my cloud").code == 2
    assert rnn("inspect", "embedding", "--out", "my cloud", "--force").code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["neighbours", "warmm"], "Error: warmm: the model knows no such token; did you mean warm"),
        (["gradients", "quick", "--steps", "-1"], "Error: Invalid value for '--steps'"),
        (["neighbours", "a\x1b[2J"], "Error: a\ufffd[2J: "),
        (["tokens"], "Error: Missing argument 'TEXT...'"),
        (["tokens", "\udcff"], "Error: text 1: is not UTF-8"),
        (["tokens", "--model", "nowhere", "x"], "Error: nowhere: no such folder"),
        (["embedding", "--out", "runs"], "Error: runs: holds "),
        (["embedding", "--out", "runs", "--force"], "Error: runs: holds latest, which would be lost"),
        (
            ["gradients", "--out", "chart.pdf"],
            "Error: chart.pdf: is not the name of a PNG or SVG file; use --out chart.png",
        ),
        (["gradients", "--force"], "Error: --force is for --out, which is not given"),
        (["reading", "x", "--out", "there.png"], "Error: there.png: exists; use --force"),
        (["reading", "x", "--out", "runs/latest/a.svg"], "Error: runs/latest: is a trained model's folder"),
        (["reading", "x", "--force"], "Error: --force is for --out, which is not given"),
        (["reading", "\udcff"], "Error: TEXT: is not UTF-8"),
        (["reading", "--model", "nowhere", "x"], "Error: nowhere: no such folder"),
        (["reading"], "Error: Missing argument 'TEXT'"),
        (["model", "--model", "nowhere"], "Error: nowhere: no such folder"),
        (["tokens", "--config", "quick", "--json", "x"], "Error: --config takes no --json"),
        (["tokens", "--config", "subword", "x"], "Error: level: subword: its word pieces are learned"),
        (["tokens", "--config", "quik", "x"], "Error: quik: no such file or recipe; did you mean quick?"),
        (["gradients", "--out", "no/chart.png"], "Error: no: no such folder"),
        (["gradients", "--set", "model.cel=rnn"], "Error: --set model.cel=rnn: model.cel: no such key"),
    ],
)
def test_a_mistake_is_one_line(rnn: Rnn, newest: Path, words: list[str], told: str) -> None:
    Path("there.png").touch()
    code, out, err = rnn("inspect", *words)
    assert (code, out) == (2, "")
    assert err.startswith(told) and err.count("\n") == 1


def test_one_hot_tokens_have_no_vectors(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: dict[str, dict[str, object]]
) -> None:
    more = tiny_overrides(tiny, model__input="one_hot", training__epochs=1, data__source=labelled_file)
    assert rnn("train", *more).code == 0
    code, _, err = rnn("inspect", "neighbours", "warm")
    assert code == 2
    assert err == (
        "Error: runs/default-1: has no token vectors: its tokens are one-hot; "
        "name a model trained with model.input=embedding\n"
    )


def test_a_damaged_model_is_refused(rnn: Rnn, newest: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(newest, broken)
    content = bytearray((broken / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (broken / "model.onnx").write_bytes(content)
    code, _, err = rnn("inspect", "neighbours", "warm", "--model", str(broken))
    assert code == 2 and "checksum differs" in err


def test_a_reader_may_leave_early(newest: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "inspect", "tokens", "--json", *["warm " * 9_000] * 9], stdout=-1, stderr=-1
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        child.stdout.read(10)
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 141


def test_gradients_are_told_in_figures_and_in_words(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: dict[str, dict[str, object]]
) -> None:
    words = [
        "--steps",
        "0",
        "--seeds",
        "2",
        "--texts",
        "5",
        "--tokens",
        "6",
        *tiny_overrides(tiny, data__source=labelled_file),
    ]
    code, out, err = rnn("inspect", "gradients", "--json", "--out", "chart.png", *words)
    found = json.loads(out)
    assert code == 0 and "Error" not in err
    assert found["distance"] == list(range(6)) and list(found["left"]) == ["rnn", "gru", "lstm"]
    assert all(curve[0] == 1 for cell in found["left"].values() for curve in cell.values())
    assert found["seeds"] == 2 and [each["distance"] for each in found["compared"]["untrained"]] == [5] * 3
    for cell, curves in found["left"].items():
        band = found["band"][cell]["untrained"]
        assert band["low"][3] <= curves["untrained"][3] <= band["high"][3]
    assert (home / "chart.png").is_file()


def lesson(**curves: list[float]) -> Lesson:
    decays = tuple(Decay(cell, spread(np.array(curve)), None) for cell, curve in curves.items())
    return Lesson("reviews.csv", "word", 64, len(next(iter(curves.values()))), 8, 5, 1.0, 0, decays)


def spread(curve: np.ndarray) -> Spread:
    """Between a third and three times the curve."""
    return Spread(curve, curve / 3, curve * 3)


def test_a_table_holds_round_distances_and_the_last() -> None:
    curve = [0.5**distance for distance in range(60)]
    rows = decay_table(lesson(rnn=curve))[3:]
    assert [row.split() for row in rows[:3]] == [["0", "1.00"], ["1", "0.50"], ["2", "0.25"]]
    assert [row.split()[0] for row in rows] == ["0", "1", "2", "5", "10", "20", "50", "59"]


def test_a_sentence_says_what_is_left() -> None:
    gone, grown = [0.8**distance for distance in range(120)], [1.2**distance for distance in range(120)]
    dead, short = [1.0] + [0.0] * 119, [1.0]
    assert list(sentences(lesson(rnn=gone, gru=grown, lstm=dead))) == [
        "rnn:  after 20 words 1% of the gradient is left (0.4% to 3%), "
        "after 100 words less than a millionth (under 1e-6 to under 1e-6)",
        "gru:  after 20 words it has grown 38-fold (13-fold to 115-fold), "
        "after 100 words it has grown more than a million-fold (over 1e6-fold to over 1e6-fold)",
        "lstm: after 20 words less than a millionth of the gradient is left (under 1e-6 to under 1e-6), "
        "after 100 words less than a millionth (under 1e-6 to under 1e-6)",
    ]
    assert list(sentences(lesson(rnn=short))) == ["rnn:  no text is longer than one word"]


def test_cells_whose_bands_overlap_cannot_be_told_apart() -> None:
    at_100 = {"rnn": 0.001, "gru": 0.1, "lstm": 0.4}  # a third to three times: 0.003, 0.033 to 0.3, 0.13
    found = lesson(**{cell: [left ** (distance / 100) for distance in range(120)] for cell, left in at_100.items()})
    assert list(verdicts(found)) == [
        "In brackets: where 80% of all networks and texts lie. So, after 100 words:",
        "untrained: gru keeps more than rnn; lstm keeps more than rnn; cannot tell gru from lstm: their bands overlap",
    ]
    dead = lesson(rnn=[1.0] + [0.0] * 119, gru=[1.0] + [0.0] * 119)
    assert list(verdicts(dead))[1:] == ["untrained: cannot tell rnn from gru: their bands overlap"]
    assert not list(verdicts(lesson(rnn=[1.0])))


@pytest.mark.parametrize("length", [1, 2, 5, 64, 300])
def test_a_chart_stands_on_80_columns(length: int) -> None:
    falling = np.geomspace(1, 1e-30, length)
    lines = chart(
        {"rnn": spread(falling), "gru": spread(np.append(falling[:-1], np.inf)), "lstm": spread(1 / falling)}, "word"
    )
    assert max(map(len, lines)) <= 80
    assert 5 < len(lines) < 25


def test_a_straight_decay_is_a_straight_line() -> None:
    curve = np.geomspace(1, 1e-3, 64)
    lines = chart({"rnn": Spread(curve, curve, curve)}, "word")
    marks = [(at, column - 8) for at, line in enumerate(lines[:-3]) for column, mark in enumerate(line) if mark == "r"]
    assert len(marks) == 64 and marks[0][1] == 0
    rows = max(at for at, _ in marks)
    assert all(abs(at - column * rows / 63) <= 0.51 for at, column in marks)


def test_a_band_is_dots_about_its_mean() -> None:
    level = np.full(64, 0.1)
    lines = chart({"rnn": Spread(level, level / 10, level * 10)}, "word")[:-3]
    column = [line[8 + 30] if len(line) > 38 else " " for line in lines]
    assert column.count("r") == 1 and "".join(column).strip("·") == "r" and len(column) > 5


def test_a_figure_has_two_digits() -> None:
    shown = ["1.00", "0.10", "0.099", "0.010", "1.0e-06", "12", "1.2e+03", "0", "∞"]
    assert [figure(left) for left in (1, 0.1, 0.099, 0.01, 1e-6, 12, 1234, 0, np.inf)] == shown
