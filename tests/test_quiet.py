"""The program talks to nobody, and writes no file outside the places it names."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import pytest

from rnn_cli import system, telemetry
from rnn_cli.bundle.model_folder import Bundle
from tests.conftest import TINY
from tests.sealed import CAN_SEAL, KILLED, run_sealed

sealing = pytest.mark.skipif(not CAN_SEAL, reason="no seccomp filter for this machine here")

COMMANDS = """
import json, os, signal, sys
from rnn_cli.cli.main import main

def stop(event, arguments):
    if event == "os.mkdir" and "bundle.part" in str(arguments[0]) and stopping:
        stopping.pop()
        os.kill(os.getpid(), signal.SIGINT)

stopping, codes = [], []
for words in json.loads(sys.argv[1]):
    if words[0] == "STOPPED":  # as by Ctrl-C, when the epochs are over
        stopping.append(words.pop(0))
        sys.addaudithook(stop)
    sys.argv = ["rnn", *words]
    try:
        main()
    except SystemExit as end:
        codes.append(end.code)
print(json.dumps(codes), file=sys.stderr)
"""

Lines = Sequence[Sequence[str]]


@pytest.fixture
def folder(trained: Path, labelled_file: Path, tmp_path: Path) -> Path:
    """A folder to stand in, with a model, texts in each format and a config."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    at = tmp_path / "at"
    at.mkdir()
    shutil.copytree(trained, at / "model")
    shutil.copy(labelled_file, at / "rows.csv")
    (at / "texts.csv").write_text("text\nwarm film\ndull film\n")
    (at / "texts.jsonl").write_text('{"text": "warm film"}\n')
    pq.write_table(pa.table({"text": ["warm film"]}), at / "texts.parquet")
    (at / "tiny.yaml").write_text(json.dumps(TINY | {"data": {"source": "rows.csv", "validation": 0.2, "test": 0.2}}))
    return at


def in_turn(lines: Lines, at: Path, codes: Sequence[int] | None = None, **setting: str) -> list[str]:
    """Run command lines in one sealed process; what they left outside the folder they stood in."""
    program = [sys.executable, "-c", COMMANDS, json.dumps([list(words) for words in lines])]
    ended, left = run_sealed(program, at.parent / "place", at, **setting)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stderr.splitlines()[-1]) == list(codes or [0] * len(lines)), ended.stderr
    return left


# The seal holds


@sealing
@pytest.mark.parametrize(
    "code",
    [
        "import ctypes; ctypes.CDLL(None).getaddrinfo(b'name.invalid', None, None, ctypes.byref(ctypes.c_void_p()))",
        "import ctypes; ctypes.CDLL(None).socket(2, 1, 0)",
        "import ctypes; ctypes.CDLL(None).socket(10, 2, 0)",
        "import socket; socket.socket(socket.AF_INET6).connect(('::1', 9))",
        "import threading, socket; t = threading.Thread(target=socket.socket); t.start(); t.join()",
    ],
)
def test_what_reaches_for_the_network_is_killed(code: str, tmp_path: Path) -> None:
    ended, _ = run_sealed([sys.executable, "-c", code], tmp_path / "place", tmp_path)
    assert ended.returncode == KILLED
    # So is what it starts.
    started = f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {code!r}]) != {KILLED})"
    ended, _ = run_sealed([sys.executable, "-c", started], tmp_path / "another", tmp_path)
    assert ended.returncode == 0


@sealing
def test_what_stays_on_this_machine_goes_on(tmp_path: Path) -> None:
    code = (
        "import socket; socket.socketpair(); socket.socket(socket.AF_INET6).close();"
        "s = socket.socket(socket.AF_UNIX); s.bind('s'); s.listen(); socket.socket(socket.AF_UNIX).connect('s')"
    )
    ended, left = run_sealed([sys.executable, "-c", code], tmp_path / "place", tmp_path)
    assert (ended.returncode, left) == (0, []), ended.stderr


@sealing
@pytest.mark.skipif(tuple(map(int, version("onnxruntime").split(".")[:2])) < (1, 32), reason="it sends nothing")
def test_what_onnx_runtime_does_unless_told_is_seen(folder: Path) -> None:
    assert in_turn([["predict", "--model", "model", "a warm film"]], folder, ORT_DISABLE_TELEMETRY="0")


# Every command

OF_A_MODEL = ["--model", "model"]
FILES = [
    ["score", *OF_A_MODEL, f"texts.{form}", "--output", out]
    for form, out in (("csv", "out.csv"), ("jsonl", "out.jsonl.gz"), ("parquet", "out.parquet"), ("csv", "many/"))
]
INSPECTING = [
    ["inspect", "tokens", *OF_A_MODEL, "a warm film"],
    ["inspect", "neighbours", *OF_A_MODEL, "warm"],
    ["inspect", "embedding", *OF_A_MODEL, "--out", "projector"],
    ["inspect", "model", *OF_A_MODEL],
    ["inspect", "behaviour", *OF_A_MODEL],
    ["inspect", "reading", *OF_A_MODEL, "a warm film", "--out", "reading.png"],
]
TRAINING = [
    ["inspect", "gradients", "tiny.yaml", "--set", "tokenizer.level=subword", "--steps", "0", "--out", "chart.png"],
    ["STOPPED", "train", "tiny.yaml", "--set", "training.epochs=1", "--out", "new"],
    ["train", "--resume", "new"],
    ["train", "--from", "model", "--set", "data.source=rows.csv", "--set", "training.epochs=1", "--out", "further"],
]


@sealing
@pytest.mark.parametrize(
    "lines",
    [
        [["--version"], ["data", "list"], ["init", "rows.csv"]],
        [["config", "list"], ["config", "keys"], ["config", "show", "quick"], ["config", "schema"]],
        [["data", "check", "rows.csv", "--learning-curve", "--out", "found.csv"]],
        [["evaluate", *OF_A_MODEL, "--data", "rows.csv"]],
        [["evaluate", *OF_A_MODEL, "--data", "rows.csv", "--report", "report.html", "--plots", "charts"]],
        [["compare", "model", "model"], ["compare", "--data", "rows.csv", "model", "model"]],
        [["predict", *OF_A_MODEL, "a warm film"]],
        [["predict", *OF_A_MODEL, "--explain", "--precision", "int8", "a warm film"]],
        FILES,
        INSPECTING,
        [["export", *OF_A_MODEL, "--to", "exported"]],
    ],
    ids=lambda lines: " ".join(lines[0][:2]),
)
def test_a_command_asks_nobody_and_leaves_nothing(lines: Lines, folder: Path) -> None:
    assert in_turn(lines, folder) == []


@sealing
def test_what_loads_tensorflow_asks_nobody_and_leaves_nothing(folder: Path) -> None:
    assert in_turn(TRAINING, folder, [0, 130, 0, 0]) == []
    assert (folder / "new" / "report.html").exists() and (folder / "further").exists()


@sealing
@pytest.mark.parametrize(
    "code",
    [
        "from predict import predict; assert predict('a warm film')",
        "import sys, runpy; sys.argv[1:] = ['a warm film']; runpy.run_path('predict.py', run_name='__main__')",
    ],
)
def test_an_exported_script_asks_nobody_and_leaves_nothing(code: str, trained: Path, tmp_path: Path) -> None:
    from rnn_cli.export.export import export_bundle

    export_bundle(Bundle.open(trained), tmp_path / "exported")
    ended, left = run_sealed([sys.executable, "-c", code], tmp_path / "place", tmp_path / "exported")
    assert (ended.returncode, left) == (0, []), ended.stderr


@sealing
def test_nor_does_python_that_imports_a_part_of_it(folder: Path) -> None:
    code = (
        "from pathlib import Path; from rnn_cli.scoring.predictor import Predictor;"
        "assert Predictor.open(Path('model')).predict(['a warm film'])"
    )
    ended, left = run_sealed([sys.executable, "-c", code], folder.parent / "place", folder)
    assert (ended.returncode, left) == (0, []), ended.stderr


# What is set, and by whom

Call = Callable[[], None]


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """An environment with an empty home and nothing else."""
    made = {"HOME": str(tmp_path)}
    monkeypatch.setattr(os, "environ", made)
    return made


def test_importing_the_package_switches_telemetry_off() -> None:
    code = f"import os, rnn_cli; assert {telemetry.NO_TELEMETRY!r}.items() <= os.environ.items()"
    home = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    subprocess.run([sys.executable, "-c", code], env=home, check=True, timeout=60)


def test_what_the_user_has_set_stands(setting: dict[str, str]) -> None:
    theirs = {"RAY_USAGE_STATS_ENABLED": "1", "KERAS_HOME": "/k", "MPLCONFIGDIR": "/m"}
    setting |= theirs
    telemetry.report_to_nobody()
    system.leave_home_alone()
    assert theirs.items() <= setting.items()
    assert setting["ORT_DISABLE_TELEMETRY"] == "1"


@pytest.mark.parametrize("place", [".cache/matplotlib", ".matplotlib", "elsewhere/matplotlib"])
def test_a_users_own_list_of_fonts_is_used(place: str, setting: dict[str, str], tmp_path: Path) -> None:
    if place.startswith("elsewhere"):
        setting["XDG_CACHE_HOME"] = str(tmp_path / "elsewhere")
    (tmp_path / place).mkdir(parents=True)
    system.leave_home_alone()
    assert "MPLCONFIGDIR" not in setting and setting["KERAS_HOME"] == system.NO_FOLDER


def test_a_users_own_config_of_keras_is_used(setting: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text("{}")
    system.leave_home_alone()
    assert "KERAS_HOME" not in setting and setting["MPLCONFIGDIR"] == system.NO_FOLDER
