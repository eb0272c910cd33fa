"""A bundle to a folder that answers without rnn: graph, tokenizer, manifest, and the code that scores. Prints nothing.

The folder is a bundle itself, of fewer files: what tells of the training rows (the predictions, the report, the
figures) and what only training needs stays behind.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from rnn_cli import system
from rnn_cli.bundle.model_folder import (
    CARD,
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


def export_card(manifest: Manifest, precision: str) -> str:
    """The README, in Markdown."""
    return draw("export.md", manifest=manifest, precision=precision)


def unplaced_config(config: Config) -> Config:
    """The same config, its paths without their folders."""
    named = config.data.unlabelled
    data = {
        **{
            key: _last(value)
            for key in ("source", "validation", "test")
            if isinstance(value := getattr(config.data, key), str)
        },
        "unlabelled": [_last(each) for each in named] if isinstance(named, list) else named and _last(named),
    }
    vectors = config.model.embeddings
    return config.model_copy(
        update={
            "data": config.data.model_copy(update=data),
            "model": config.model.model_copy(update={"embeddings": vectors and _last(vectors)}),
        }
    )


def unplaced_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """The `data` of a manifest, the model it was trained further from without its folder."""
    if FURTHER not in data:
        return dict(data)
    origin = data[FURTHER]
    return {**data, FURTHER: {**origin, "model": _last(str(origin.get("model", "")))}}


def _last(path: str) -> str:
    """A path's last part, as a path: beside a bare name, which may be a built-in set's, stand no folders."""
    name = PurePath(path.partition("?")[0] if "://" in path else path).name  # a URL's query may be secret
    return path if path == name else f"./{name}"


PACKAGE = Path(__file__).parent.parent
SCRIPT = PACKAGE / "export" / "predict.py"
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
    waiting = [PACKAGE / "scoring" / "explain.py"]  # which `Predictor.explain` imports late
    waiting += list(_imports(ast.walk(_parsed(SCRIPT))))  # it imports late, to answer --help and Ctrl-C at once
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


@dataclass(frozen=True)
class Exported:
    """What was written: where, how many bytes all its files have, and how its graph computes."""

    path: Path
    size: int
    precision: Precision


def export(opened: Bundle, to: Path, *, precision: Precision = "fp32", force: bool = False) -> Exported:
    """Write the folder `to`, whole or not at all; of whichever `precision`, the graph is called `model.onnx` there.

    Raises `BundleError` where the bundle is damaged or has no such graph, and what `check_place` raises.
    """
    check_export_folder(opened.path, to, force=force)
    precision = opened.manifest.data.get(PRECISION, precision)  # an export has but one graph
    files, manifest = _content(opened, precision)
    with (
        system.told(to, option="--to"),
        system.whole_folder(to.resolve(), lambda: check_export_folder(opened.path, to, force=force)) as folder,
    ):
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            system.write(folder / name, content)
        own = sorted(name for name in files if not name.startswith(RUNTIME))  # the model's, and what starts the rest
        manifest = replace(manifest, files={name: proof(folder / name) for name in own})
        system.write(folder / MANIFEST, manifest.to_json())
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Exported(to, size, precision)


def _content(opened: Bundle, precision: Precision) -> tuple[Mapping[str, str | bytes], Manifest]:
    """Each file's content by its name in the export, and the manifest but for the files' proofs."""
    predictor = Predictor(opened, precision=precision)  # what rnn would not score is not handed on
    marked = {} if precision == "fp32" else {PRECISION: precision}
    manifest = replace(opened.manifest, data=unplaced_data(opened.manifest.data) | marked)
    config = stored_config(opened.read(CONFIG), str(opened.path / CONFIG))
    check_config(opened, config, predictor.tokenizer, predictor.architecture)
    return {
        ONNX_MODEL: opened.read(graph_file(opened, precision)),
        TOKENIZER: opened.read(TOKENIZER),
        CONFIG: to_yaml(unplaced_config(config)),
        CARD: export_card(manifest, precision),
        **runtime(),
    }, manifest
