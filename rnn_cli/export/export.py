"""Export a bundle to a folder that predicts without rnn: graph, tokenizer, manifest, and the code that scores.

The folder is a bundle with fewer files. It leaves out what describes the training rows (predictions, report, metrics)
and what only training needs.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from rnn_cli import system
from rnn_cli.bundle.model_folder import (
    CARD,
    COLUMNS_FILE,
    CONFIG,
    FURTHER,
    MANIFEST,
    ONNX_MODEL,
    PRECISION,
    TOKENIZER,
    Bundle,
    Manifest,
    proof,
)
from rnn_cli.bundle.targets import RUNTIME, check_export_folder
from rnn_cli.config.load import stored_config, to_yaml
from rnn_cli.config.schema import Config
from rnn_cli.reporting.drawing import draw
from rnn_cli.scoring.parts import check_config
from rnn_cli.scoring.predictor import Precision, Predictor, graph_file


def export_card(manifest: Manifest, precision: str, columns: Sequence[str] = ()) -> str:
    """The README of an export, in Markdown; `columns` are the other columns that the model reads."""
    return draw("export.md", manifest=manifest, precision=precision, columns=columns)


def unplaced_config(config: Config) -> Config:
    """The same config with file names only instead of paths."""
    named = config.data.unlabelled
    data = {
        **{
            key: _last(value)
            for key in ("source", "validation", "test")
            if isinstance(value := getattr(config.data, key), str)
        },
        "sources": config.data.sources
        and [each.model_copy(update={"source": _last(each.source)}) for each in config.data.sources],
        "unlabelled": [_last(each) for each in named] if isinstance(named, list) else named and _last(named),
    }
    model = {key: (named := getattr(config.model, key)) and _last(named) for key in ("base", "embeddings")}
    return config.model_copy(
        update={
            "data": config.data.model_copy(update=data),
            "model": config.model.model_copy(update=model),
        }
    )


def unplaced_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """The `data` of a manifest with only the name of the model that further training started from."""
    if FURTHER not in data:
        return dict(data)
    origin = data[FURTHER]
    return {**data, FURTHER: {**origin, "model": _last(str(origin.get("model", "")))}}


def _last(path: str) -> str:
    """A path's last part as `./NAME`; a bare name, which may be a built-in set's, stays as it is."""
    name = PurePath(path.partition("?")[0] if "://" in path else path).name  # a URL's query may be secret
    return path if path == name else f"./{name}"


_PACKAGE = Path(__file__).parent.parent
_SCRIPT_FILE = _PACKAGE / "export" / "predict.py"
_INIT = '"""Copies of the modules of rnn that predict.py needs."""\n'


def runtime() -> dict[str, str]:
    """The texts of the script and the modules it needs, by their paths in the exported folder."""
    files = {_SCRIPT_FILE.name: _renamed(_SCRIPT_FILE), f"{RUNTIME}/__init__.py": _INIT}
    for module in needed():
        files[f"{RUNTIME}/{module.relative_to(_PACKAGE).as_posix()}"] = _renamed(module)
    return files


def needed() -> list[Path]:
    """The modules of this package that `predict.py` imports, directly or indirectly."""
    found: list[Path] = []
    # `Predictor` imports them late
    waiting = [_PACKAGE / "scoring" / "explain.py", _PACKAGE / "scoring" / "extra.py"]
    waiting += list(_imports(ast.walk(_parsed(_SCRIPT_FILE))))  # it imports late, so that --help and Ctrl-C are fast
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.append(module)
            waiting += _imports(iter(_parsed(module).body))  # imports within functions serve training
    return sorted(found)


def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _imports(nodes: Iterator[ast.AST]) -> Iterator[Path]:
    """The files of this package that the nodes import; raises `ValueError` for a package instead of a module."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == _PACKAGE.name:
            path = _PACKAGE.parent.joinpath(*str(node.module).split("."))
            for file in [path] if not path.is_dir() else [path / name.name for name in node.names]:
                if not file.with_suffix(".py").is_file():
                    raise ValueError(f"{node.module} is a package; import from its modules what scoring needs")
                yield file.with_suffix(".py")


def _renamed(file: Path) -> str:
    """The file's text, with its imports changed to the copies."""
    text = file.read_text(encoding="utf-8")
    return re.sub(rf"^( *from ){_PACKAGE.name}\b", rf"\1{RUNTIME}", text, flags=re.MULTILINE)


@dataclass(frozen=True)
class Exported:
    """An export: its folder, the size of its files in bytes, and how its graph computes."""

    path: Path
    size: int
    precision: Precision


def export_bundle(opened: Bundle, to: Path, *, precision: Precision = "fp32", force: bool = False) -> Exported:
    """Write the folder `to`, whole or not at all; the graph is called `model.onnx` there with either precision.

    Raises `BundleError` if the bundle is damaged or has no such graph, and what `check_export_folder` raises.
    """
    check_export_folder(opened.path, to, force=force)
    precision = opened.manifest.data.get(PRECISION, precision)  # an export has only one graph
    files, manifest = _content(opened, precision)
    with (
        system.as_write_error(to, name="to"),
        system.whole_folder(to.resolve(), lambda: check_export_folder(opened.path, to, force=force)) as folder,
    ):
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            system.write(folder / name, content)
        own = sorted(name for name in files if not name.startswith(RUNTIME))  # without the copied modules
        manifest = replace(manifest, files={name: proof(folder / name) for name in own})
        system.write(folder / MANIFEST, manifest.to_json())
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Exported(to, size, precision)


def _content(opened: Bundle, precision: Precision) -> tuple[Mapping[str, str | bytes], Manifest]:
    """Each file's content by its name in the export, and the manifest without the files' proofs."""
    predictor = Predictor(opened, precision=precision)  # refuses to export what rnn cannot score
    marked = {} if precision == "fp32" else {PRECISION: precision}
    manifest = replace(opened.manifest, data=unplaced_data(opened.manifest.data) | marked)
    config = stored_config(opened.read(CONFIG), str(opened.path / CONFIG))
    check_config(opened, config, predictor.tokenizer, predictor.architecture)
    return {
        ONNX_MODEL: opened.read(graph_file(opened, precision)),
        TOKENIZER: opened.read(TOKENIZER),
        CONFIG: to_yaml(unplaced_config(config)),
        CARD: export_card(manifest, precision, predictor.columns),
        **({COLUMNS_FILE: opened.read(COLUMNS_FILE)} if predictor.columns else {}),
        **runtime(),
    }, manifest
