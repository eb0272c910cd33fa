"""What an exported folder runs: `predict.py`, and copies of the modules it needs. Knows nothing of any model.

Both are those of this package, under another package's name: so an installed rnn is neither needed nor in the way,
and nothing of a model, its labels or its paths becomes code.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from rnn_cli.exporting.target import RUNTIME

PACKAGE = Path(__file__).parent.parent
SCRIPT = PACKAGE / "exporting" / "predict.py"
INIT = '"""Copies of the modules of rnn that predict.py needs."""\n'


def runtime() -> dict[str, str]:
    """Each file's text by its path in the exported folder."""
    files = {SCRIPT.name: _renamed(SCRIPT), f"{RUNTIME}/__init__.py": INIT}
    for module in needed():
        files[f"{RUNTIME}/{module.relative_to(PACKAGE).as_posix()}"] = _renamed(module)
    return files


def needed() -> list[Path]:
    """The modules of this package that scoring loads: those that `predict.py` imports, with all that these load."""
    found: list[Path] = []
    waiting = list(_imports(ast.walk(_parsed(SCRIPT))))  # it imports late, to answer --help and Ctrl-C at once
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.append(module)
            waiting += _imports(iter(_parsed(module).body))  # what a function imports serves training
    return sorted(found)


def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _imports(nodes: Iterator[ast.AST]) -> Iterator[Path]:
    """The files of this package that are imported there; raises `ValueError` for a room instead of a module."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == PACKAGE.name:
            place = PACKAGE.parent.joinpath(*str(node.module).split("."))
            for file in [place] if not place.is_dir() else [place / name.name for name in node.names]:
                if not file.with_suffix(".py").is_file():
                    raise ValueError(f"{node.module} is a room; import from its modules what scoring needs")
                yield file.with_suffix(".py")


def _renamed(file: Path) -> str:
    """The file's text, its imports of this package made those of the copies."""
    text = file.read_text(encoding="utf-8")
    return re.sub(rf"^( *from ){PACKAGE.name}\b", rf"\1{RUNTIME}", text, flags=re.MULTILINE)
