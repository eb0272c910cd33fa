"""The exported script answers what rnn answers, whatever the model and the text."""

import importlib.util
import itertools
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE
from types import ModuleType

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rnn_cli import bundle
from rnn_cli.bundle import Bundle, Manifest
from rnn_cli.exporting.export import export
from rnn_cli.exporting.script import render
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.tokenizer import Tokenizer

from .conftest import SETTINGS, TAUGHT, Make

ROOT = Path(__file__).parent.parent.parent
RNN = [sys.executable, "-c", "from rnn_cli.cli.main import main; main()"]

NASTY = [
    "",
    " ",
    "A warm, funny film!",
    "WARM warm Warm",
    "zzxxqq unknown words only",
    "😀 👩‍👩‍👧👍🏽🇩🇪🇫🇷🇩 ❤️good",
    "e\u0301te\u0301 été \u0301 !\u0301abc",
    "فيلم رائع، جداً؟ ",
    "हिन्दी, क्‍ष। ภาษาไทย 好。真的吗？！ok",
    "the film " * 900,
    "film" * 1_500,
    "好" * 3_000,
    "a\rb\r\rc film\r",
    "nul\x00 \x00 film \x1c\x1f\x85 film",
    "' '' film's 'film' ’ dogs’",
    "İSTANBUL'da İ ı I i̇",
    "ﬁlm ﬂat ﬀ Straße STRASSE ǅ",
    "a\u00a0b\u2028c\u2029d\u3000e\ufeff",
    "▁film ▁▁ the▁film ▁",
    "<OOV> <oov> x<OOV>y (<OOV>) <OOV><OOV> _<OOV> film! (film) film,film filmfilm film¼ ⓐfilm film\u0301",
    "Mr. Smith… left?! “Yes.” he said.) 3.5 a.b",
    "snake_case __ -- !!! 100% #1 @x",
    "\u200d\u200d \u00ad so\u00adft \ufe0f #️⃣",
    "\U0001f3f4\U000e0067\U000e0062\U000e007f 𝔉𝔦𝔩𝔪 \U0010ffff",
    "=1+1 \"quoted\" 'single' `x` \\n",
]
LINES = "\n".join(NASTY).encode()
MANY_LINES = ["a\nfilm\n\nwas. dull\r\nwarm\n", "\ufefffilm", "half \ud83d film"]


def answered_by_rnn(folder: Path, *words: str, stdin: bytes = b"") -> list[str]:
    """The lines of `rnn predict` in its plain format."""
    return answered([*RNN, "predict", "--model", str(folder), "--format", "plain", *words], stdin, folder.parent)


def answered_by_script(folder: Path, *words: str, stdin: bytes = b"", at: Path) -> list[str]:
    return answered([sys.executable, "-I", str(folder / "predict.py"), *words], stdin, at)


def answered(command: list[str], stdin: bytes, at: Path) -> list[str]:
    ended = subprocess.run(command, input=stdin, capture_output=True, cwd=at, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.decode().splitlines()


def exported(opened: Bundle) -> Path:
    folder = opened.path.with_name("export")
    return export(opened, folder, force=folder.exists()).path


@pytest.mark.parametrize("name", SETTINGS)
def test_the_script_prints_what_rnn_predict_prints(name: str, make_bundle: Make, tmp_path: Path) -> None:
    opened = make_bundle(tokenizer=SETTINGS[name])
    folder = exported(opened)
    expected = answered_by_rnn(opened.path, stdin=LINES)
    assert len(expected) == len(NASTY)
    assert len(set(expected)) > 1  # the model tells texts apart
    assert answered_by_script(folder, stdin=LINES, at=tmp_path) == expected
    assert answered_by_rnn(folder, stdin=LINES) == expected  # the folder is a bundle, too


DECISIONS: list[tuple[tuple[str, ...], dict[str, float]]] = [
    (("bad", "good"), {"threshold": 0.9}),
    (("bad", "good"), {"threshold": 0.0}),
    (("bad", "good"), {"threshold": 1.0, "unsure_below": 0.5}),
    (("bad", "good"), {"threshold": 0.3, "unsure_below": 1.2, "temperature": 3.0}),
    (("böse\tand mean", "good\n", "so-so"), {"temperature": 0.05}),
    (("bad", "good", "so-so", "unsure"), {"unsure_below": 0.7}),
]


@pytest.mark.parametrize(("labels", "changes"), DECISIONS)
def test_the_script_decides_as_rnn_does(
    labels: tuple[str, ...], changes: dict[str, float], make_bundle: Make, tmp_path: Path
) -> None:
    opened = make_bundle(labels, {}, **changes)
    found = answered_by_script(exported(opened), stdin=LINES, at=tmp_path)
    assert found == answered_by_rnn(opened.path, stdin=LINES)


def test_texts_are_words_of_the_command_line_too(make_bundle: Make, tmp_path: Path) -> None:
    opened = make_bundle()
    folder = exported(opened)
    words = ["a warm film", *MANY_LINES[:2], ""]
    assert answered_by_script(folder, *words, at=tmp_path) == answered_by_rnn(opened.path, *words)
    piped = "\ufefffilm\r\n\ufefffilm\r\n".encode()  # the first BOM and the lines' ends are no text
    assert answered_by_script(folder, "-", stdin=piped, at=tmp_path) == answered_by_rnn(opened.path, stdin=piped)


def test_the_function_has_every_probability_and_tells_where_it_is_unsure(make_bundle: Make) -> None:
    opened = make_bundle(("bad", "good", "so-so"), {}, unsure_below=0.7)
    texts = [*NASTY, *MANY_LINES] * 40
    found = imported(exported(opened)).predict(texts)
    expected = Predictor.open(opened.path).predict(texts)
    assert [each["unsure"] for each in found] == [each.unsure for each in expected]
    assert {each["unsure"] for each in found} == {True, False}
    for ours, theirs in zip(found, expected, strict=True):
        assert ours["label"] == theirs.label
        assert ours["probability"] == ours["probabilities"][ours["label"]]
        assert list(ours["probabilities"]) == list(opened.manifest.labels)
        assert list(ours["probabilities"].values()) == pytest.approx(theirs.probabilities, abs=1e-7)
    assert imported(exported(opened)).predict([]) == []


def imported(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("exported_predict", folder / "predict.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PARTS = [
    *itertools.chain.from_iterable(text.split(" ") for text in [*TAUGHT, *NASTY[12:]]),
    "<OOV>",
    "film",
    *"-¼Ⓐⓩ\u0301\u200d_▁",
    "\r\n",
]
TEXTS = (
    st.text()
    | st.text(st.characters(max_codepoint=127))
    | st.lists(st.sampled_from(PARTS) | st.text(max_size=3)).map(" ".join)
    | st.lists(st.sampled_from(PARTS) | st.text(max_size=3)).map("".join)
)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_script_reads_a_text_as_the_tokenizer_does(name: str, make_bundle: Make) -> None:
    opened = make_bundle(tokenizer=SETTINGS[name])
    tokenizer = Tokenizer.from_json(opened.read(bundle.TOKENIZER).decode())
    script = imported(exported(opened))
    _, ours, _ = script.load()

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(TEXTS)
    @example("a\ud800b\udfff.")
    @example("film" * 300)
    def same(text: str) -> None:
        assert script.encode(text, ours) == tokenizer.encode(text)

    same()


@pytest.mark.parametrize("name", ["manifest.json", "tokenizer.json", "model.onnx"])
def test_a_damaged_or_missing_file_is_told(name: str, make_bundle: Make, tmp_path: Path) -> None:
    folder = exported(make_bundle())
    file = folder / name
    good = file.read_bytes()
    for bad in (
        good.replace(b"0.5", b"0.6", 1) if name == "manifest.json" else bytes([good[0] ^ 1]) + good[1:],
        good[:9],
    ):
        file.write_bytes(bad)
        assert told(folder, tmp_path).startswith(f"Error: {file}: ")
    file.unlink()
    assert name in told(folder, tmp_path)


def told(folder: Path, at: Path) -> str:
    ended = subprocess.run(
        [sys.executable, str(folder / "predict.py"), "film"], capture_output=True, text=True, cwd=at, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    return ended.stderr


def test_help_says_how_it_is_called(make_bundle: Make, tmp_path: Path) -> None:
    folder = exported(make_bundle())
    said = answered_by_script(folder, "--help", at=tmp_path)
    assert any("python predict.py" in line for line in said)


def test_a_closed_pipe_ends_it_without_a_word(make_bundle: Make, tmp_path: Path) -> None:
    script = shlex.quote(str(exported(make_bundle()) / "predict.py"))
    command = (
        f"for lines in 3 9000; do yes film | head -$lines | {shlex.quote(sys.executable)} {script} | head -1; done"
    )
    ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert (ended.returncode, ended.stdout.count("\n"), ended.stderr) == (0, 2, "")


def test_ctrl_c_ends_it_without_a_word(make_bundle: Make, tmp_path: Path) -> None:
    command = [sys.executable, "-u", str(exported(make_bundle()) / "predict.py")]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=tmp_path) as running:
        assert running.stdin is not None and running.stdout is not None and running.stderr is not None
        running.stdin.write(b"film\n" * 1000)
        running.stdin.flush()
        running.stdout.readline()  # it is under way, and waits for more
        running.send_signal(signal.SIGINT)
        assert running.stderr.read() == b""
    assert running.returncode == 130


def rendered() -> dict[str, str]:
    """A script for each combination of traits."""
    scripts = {}
    levels = ("word", "marks", "char", "sentence", "subword")
    for level, cut, lower, few, unsure, filters in itertools.product(
        levels, ("head", "tail", "both"), (True, False), (True, False), (0.0, 1.0), ("", "!")
    ):
        made = Tokenizer(
            level="word" if level == "marks" else level,
            vocab=("", "<OOV>"),
            oov_token="<OOV>",
            lowercase=lower,
            filters=filters,
            punctuation="keep" if level == "marks" else "drop",
            max_length=9,
            truncate=cut,
        )
        manifest = Manifest(("a", "b") if few else ("a", "b", "c"), 0.5, 1.0, {}, {}, unsure)
        scripts[f"{level}_{cut}_{lower}_{few}_{unsure > 0}_{bool(filters)}.py"] = render(manifest, made)
    return scripts


def test_every_script_is_written_as_the_projects_own_code_and_is_short(tmp_path: Path) -> None:
    scripts = rendered()
    assert len(set(scripts.values())) == len(scripts) == 240
    for name, text in scripts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert "#[" not in text
        code = [line for line in text.partition('"""\n\n')[2].splitlines() if line.strip()]
        assert len(code) <= (126 if "subword" in name else 96), (name, len(code))
    ruff = [sys.executable, "-m", "ruff"]
    config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", str(tmp_path)]
    for words in (["check", "--ignore", "T20"], ["format", "--check"]):
        ended = subprocess.run([*ruff, *words, *config], capture_output=True, text=True, timeout=60)
        assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_script_loads_numpy_onnxruntime_and_what_comes_with_python(make_bundle: Make, tmp_path: Path) -> None:
    folder = exported(make_bundle())
    source = (folder / "predict.py").read_text(encoding="utf-8")
    imports = {
        line.split()[1].partition(".")[0] for line in source.splitlines() if line.startswith(("import ", "from "))
    }
    assert imports - set(sys.stdlib_module_names) == {"numpy", "onnxruntime"}
    assert os.access(folder / "predict.py", os.R_OK)
    assert json.loads((folder / "manifest.json").read_text())["files"].keys() == {
        *(bundle.CARD, bundle.CONFIG, bundle.ONNX_MODEL, bundle.SCRIPT, bundle.TOKENIZER)
    }
