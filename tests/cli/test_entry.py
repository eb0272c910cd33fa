"""How the command begins: by its name, as a module, without what packaging leaves behind, and not on Windows."""

import subprocess
import sys
from pathlib import Path

import pytest

from rnn_cli import __version__

from .conftest import Ended


def python(program: str, *words: str) -> Ended:
    """Runs a program with these arguments."""
    ended = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=60)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


AS_MODULE = "import runpy; runpy.run_module('rnn_cli', run_name='__main__', alter_sys=True)"
AS_SCRIPT = "from rnn_cli.__main__ import main; main()"


def test_it_is_a_module_too(home: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "rnn_cli", "config", "show", "none"], capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Error: none: no such file or recipe; ")


@pytest.mark.parametrize("start", [AS_MODULE, AS_SCRIPT])
def test_its_version_is_known_where_packaging_left_nothing(start: str) -> None:
    nothing = "import importlib.metadata as m; m.MetadataPathFinder.find_distributions = lambda *_, **__: iter(()); "
    assert python(f"{nothing}{start}", "--version") == (0, f"rnn {__version__}\n", "")


@pytest.mark.parametrize("start", [AS_MODULE, AS_SCRIPT])
@pytest.mark.parametrize("words", [[], ["--version"], ["predict", "a"], ["train"]])
def test_windows_is_refused_in_one_line_before_anything_is_imported(start: str, words: list[str]) -> None:
    windows = "import sys; sys.platform = 'win32'; sys.modules['click'] = sys.modules['rnn_cli.cli'] = None; "
    code, out, err = python(f"{windows}{start}", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("Error: rnn does not run on Windows itself, only in WSL")
