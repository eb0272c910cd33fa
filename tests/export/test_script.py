"""The exported folder answers what rnn answers, whatever the model and the text, by copies of rnn's own code."""

import ast
import importlib.util
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE
from types import ModuleType
from typing import Any

import pytest

import rnn_cli
from rnn_cli.bundle.model_folder import CARD, CONFIG, ONNX_MODEL, SCRIPT, TOKENIZER, Bundle
from rnn_cli.export.export import export_bundle, needed, runtime
from rnn_cli.scoring.predictor import Predictor

from .conftest import SETTINGS, Make

PACKAGE = Path(rnn_cli.__file__).parent
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


ALONE = """
import runpy, sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in lacking.split(","):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
_, lacking, *sys.argv = sys.argv
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a script where some packages are not there."""
NOT_THERE = "rnn_cli,tokenizers,click,rich,pydantic,yaml,tensorflow,keras"


def answered_by_rnn(folder: Path, *words: str, stdin: bytes = b"") -> list[str]:
    """The lines of `rnn predict` in its plain format."""
    return answered([*RNN, "predict", "--model", str(folder), "--format", "plain", *words], stdin, folder.parent)


def answered_by_script(folder: Path, *words: str, stdin: bytes = b"", at: Path) -> list[str]:
    return answered(alone(folder, *words), stdin, at)


def alone(folder: Path, *words: str, lacking: str = NOT_THERE) -> list[str]:
    return [sys.executable, "-I", "-c", ALONE, lacking, str(folder / "predict.py"), *words]


def answered(command: list[str], stdin: bytes, at: Path) -> list[str]:
    ended = subprocess.run(command, input=stdin, capture_output=True, cwd=at, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.decode().splitlines()


def exported(opened: Bundle) -> Path:
    folder = opened.path.with_name("export")
    return export_bundle(opened, folder, force=folder.exists()).path


@pytest.mark.parametrize("name", SETTINGS)
def test_the_script_prints_what_rnn_predict_prints(name: str, make_bundle: Make, tmp_path: Path) -> None:
    opened = make_bundle(tokenizer=SETTINGS[name])
    folder = exported(opened)
    expected = answered_by_rnn(opened.path, stdin=LINES)
    assert len(expected) == len(NASTY)
    assert len(set(expected)) > 1  # the model tells texts apart
    assert answered_by_script(folder, stdin=LINES, at=tmp_path) == expected
    assert answered_by_rnn(folder, stdin=LINES) == expected  # the folder is a bundle, too


DECISIONS: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (("bad", "good"), {"threshold": 0.9}),
    (("bad", "good"), {"threshold": 0.0}),
    (("bad", "good"), {"threshold": 1.0, "unsure_below": 0.5}),
    (("bad", "good"), {"threshold": 0.3, "unsure_below": 1.2, "temperature": 3.0}),
    (("böse\tand mean", "good\n", "so-so"), {"temperature": 0.05}),
    (("bad", "good"), {"temperature": 1.3, "scales": (0.4,), "biases": (-1.5,)}),
    (("bad", "good", "so-so"), {"scales": (0.5, 1.0, 2.0), "biases": (0.3, -1.0, 0.7)}),
    (("bad", "good", "so-so", "unsure"), {"unsure_below": 0.7}),
]


@pytest.mark.parametrize(("labels", "changes"), DECISIONS)
def test_the_script_decides_as_rnn_does(
    labels: tuple[str, ...], changes: dict[str, Any], make_bundle: Make, tmp_path: Path
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
    opened = make_bundle(("bad", "good", "so-so"), {}, unsure_below=2.5)
    texts = [*NASTY, *MANY_LINES] * 40
    found = imported(exported(opened)).predict(texts)
    expected = Predictor.open(opened.path).predict(texts)
    assert [each["unsure"] for each in found] == [each.unsure for each in expected]
    assert {each["unsure"] for each in found} == {True, False}
    for ours, theirs in zip(found, expected, strict=True):
        assert ours["label"] == theirs.label
        assert ours["probability"] == ours["probabilities"][ours["label"]]
        assert list(ours["probabilities"]) == list(opened.manifest.labels)
        assert tuple(ours["probabilities"].values()) == theirs.probabilities  # to the last bit
        assert ours["no_known_words"] == theirs.no_known_words
    assert imported(exported(opened)).predict([]) == []


def imported(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("exported_predict", folder / "predict.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_text_alone_is_no_list_of_letters(make_bundle: Make) -> None:
    predict = imported(exported(make_bundle())).predict
    assert predict("a warm film") == predict(["a warm film"])


HOSTILE = [
    '\\"\'""" + __import__(\'os\').abort() #',
    "{{ 7 * 7 }}{% raw %}${x} %s {0}",
    "</script><script>alert(1)</script>",
    "a\nb\r\tc\u2028d",
    "\x1b[2J\u202e\x00",
]


def test_hostile_labels_stay_labels(make_bundle: Make, tmp_path: Path) -> None:
    opened = make_bundle(HOSTILE, {"oov_token": HOSTILE[0]})
    folder = exported(opened)
    for file, text in runtime().items():  # no word of a model is in the code
        assert (folder / file).read_text(encoding="utf-8") == text
    lines = "\n".join([*HOSTILE[:3], *NASTY]).encode()
    found = answered_by_script(folder, stdin=lines, at=tmp_path)
    assert found == answered_by_rnn(opened.path, stdin=lines)
    assert len(found) == lines.count(b"\n") + 1
    assert list(imported(folder).predict(HOSTILE)[0]["probabilities"]) == HOSTILE


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


def test_help_says_how_it_is_called_and_needs_no_library(make_bundle: Make, tmp_path: Path) -> None:
    said = answered(alone(exported(make_bundle()), "--help", lacking="numpy,onnxruntime"), b"", tmp_path)
    assert any("python predict.py" in line for line in said)


def test_a_library_that_is_missing_is_told_in_one_line(make_bundle: Make, tmp_path: Path) -> None:
    command = alone(exported(make_bundle()), "film", lacking="onnxruntime")
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "Error: No module named 'onnxruntime'\n"


def test_texts_without_a_known_word_are_counted(make_bundle: Make, tmp_path: Path) -> None:
    folder = exported(make_bundle())
    for words, note in (
        (["zzz", "", "film"], "Warning: 2 of the texts have no word that the model knows\n"),
        (["film"], ""),
    ):
        ended = subprocess.run(alone(folder, *words), capture_output=True, text=True, cwd=tmp_path, timeout=60)
        assert (ended.returncode, ended.stdout.count("\n"), ended.stderr) == (0, len(words), note)


def test_a_line_that_is_not_utf_8_is_named_after_the_lines_before_it(make_bundle: Make, tmp_path: Path) -> None:
    command = alone(exported(make_bundle()))
    ended = subprocess.run(command, input=b"warm\ncaf\xe9\n", capture_output=True, cwd=tmp_path, timeout=60)
    assert (ended.returncode, ended.stdout.count(b"\n")) == (2, 1)
    assert ended.stderr.startswith(b"Error: standard input:2: byte 0xe9 at position 4 of the line is not UTF-8")


LOADING = """
import os, sys
class Loading:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            print(os.environ.get("ORT_DISABLE_TELEMETRY"))
sys.meta_path.insert(0, Loading())
import predict
predict.predict("film")
"""


def test_onnxruntime_is_told_to_send_nothing_before_it_loads(make_bundle: Make) -> None:
    kept = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    command = [sys.executable, "-c", LOADING]
    ended = subprocess.run(command, cwd=exported(make_bundle()), env=kept, capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ("1\n", "")


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


def test_the_folder_holds_the_packages_own_modules_but_for_the_name_in_their_imports(make_bundle: Make) -> None:
    folder = exported(make_bundle())
    copies = {file.relative_to(folder / "rnn_runtime") for file in (folder / "rnn_runtime").rglob("*.py")}
    assert copies == {file.relative_to(PACKAGE) for file in needed()} | {Path("__init__.py")}
    pairs = [(PACKAGE / name, folder / "rnn_runtime" / name) for name in copies - {Path("__init__.py")}]
    for own, copy in [*pairs, (PACKAGE / "export" / "predict.py", folder / "predict.py")]:
        copied_lines = copy.read_text(encoding="utf-8").split("\n")
        for line, copied in zip(own.read_text(encoding="utf-8").split("\n"), copied_lines, strict=True):
            if line.lstrip().startswith("from rnn_cli"):
                line = line.replace("rnn_cli", "rnn_runtime", 1)
            assert copied == line


def test_the_copies_import_numpy_onnxruntime_and_what_comes_with_python() -> None:
    names: set[str] = set()
    for file, text in runtime().items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0 and node.module, file
                names.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
    assert names - set(sys.stdlib_module_names) == {"numpy", "onnxruntime", "rnn_runtime"}


def test_what_scoring_needs_is_imported_from_its_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "predict.py"
    monkeypatch.setattr("rnn_cli.export.export._SCRIPT_FILE", script)
    script.write_text("")
    anyway = needed()
    assert PACKAGE / "scoring" / "explain.py" in anyway, "the predictor's own method loads it"
    script.write_text("from rnn_cli.data import rows\n\n\ndef late():\n    from rnn_cli.evaluation.intervals import x")
    found = [file.name for file in needed() if file not in anyway]
    assert found == ["label_sets.py", "rows.py", "intervals.py", "scores.py"]
    script.write_text("from rnn_cli.bundle import Bundle")
    with pytest.raises(ValueError, match=r"^rnn_cli\.bundle is a package; import from its modules"):
        needed()


def test_the_script_is_short() -> None:
    code = runtime()["predict.py"].partition('"""\n\n')[2].splitlines()
    assert len([line for line in code if line.strip()]) <= 75


def test_the_manifest_proves_the_models_files_and_the_script(make_bundle: Make) -> None:
    assert Bundle.open(exported(make_bundle())).manifest.files.keys() == {
        *(CARD, CONFIG, ONNX_MODEL, SCRIPT, TOKENIZER)
    }


PLAIN = ["A warm, funny film.", 'the film isn\'t dull - it was "warm"...', "na\u00efve caf\u00e9 film -- dull"]
TYPOGRAPHIC = [
    "A\u00a0wa\u00adrm, funny\u202f\uff46\uff49\uff4c\uff4d.",
    "the\u2009film isn\u2019t du\u200bll \u2013 it\u3000was \u201cwarm\u201d\u2026",
    "nai\u0308ve cafe\u0301\u2060 film \u2014 dull",
]


@pytest.mark.parametrize("name", ["word", "word, as written", "marks", "char", "sentence", "subword"])
def test_typography_alone_changes_no_line(name: str, make_bundle: Make, tmp_path: Path) -> None:
    folder = exported(make_bundle(tokenizer=SETTINGS[name]))
    expected = answered_by_script(folder, *PLAIN, at=tmp_path)
    assert len(set(expected)) > 1
    assert answered_by_script(folder, *TYPOGRAPHIC, at=tmp_path) == expected == answered_by_rnn(folder, *TYPOGRAPHIC)


def test_the_script_warns_of_texts_of_another_kind_as_rnn_does(make_bundle: Make, tmp_path: Path) -> None:
    data = {"fingerprint": "f", "rows": {"train": 3, "validation": 2, "test": 0}}
    folder = exported(make_bundle(data={**data, "unknown_tokens": {"read": 1000, "unknown": 20}}))

    def warned(command: list[str]) -> list[str]:
        ended = subprocess.run(command, capture_output=True, cwd=tmp_path, timeout=60, check=True)
        return [line for line in ended.stderr.decode().splitlines() if "of the tokens" in line]

    strange = ["zzxx qqyy vvww film"] * 10
    (line,) = warned(alone(folder, *strange))
    assert line.startswith("Warning: 75% of the tokens are unknown to the model, 2% in its validation texts")
    assert warned([*RNN, "predict", "--model", str(folder), *strange]) == [line]
    assert warned(alone(folder, *PLAIN)) == []
