"""A bundle to a folder that answers without rnn: the graph, the tokenizer, the manifest and a script. Prints nothing.

The folder is a bundle itself, of fewer files: what tells of the training rows (the predictions, the report, the
figures) and what only training needs stays behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rnn_cli import bundle
from rnn_cli.bundle import Bundle, Manifest, disk
from rnn_cli.bundle.signed import proof
from rnn_cli.errors import BundleError
from rnn_cli.exporting.card import card
from rnn_cli.exporting.places import unplaced_config, unplaced_data
from rnn_cli.exporting.script import render
from rnn_cli.exporting.target import check_place
from rnn_cli.loading import parse_config, to_yaml
from rnn_cli.scoring.graph_check import is_ours
from rnn_cli.scoring.predictor import Predictor

GRAPHS = {"fp32": bundle.ONNX_MODEL, "int8": bundle.INT8_MODEL}
"""A precision's graph, in the bundle; in the export each is `model.onnx`."""


@dataclass(frozen=True)
class Exported:
    """What was written: where, and how many bytes all its files have."""

    path: Path
    size: int


def export(opened: Bundle, to: Path, *, precision: str = "fp32", force: bool = False) -> Exported:
    """Write the folder `to`, whole or not at all; `precision` is one of `GRAPHS`.

    Raises `BundleError` where the bundle is damaged or has no such graph, and what `check_place` raises.
    """
    check_place(opened.path, to, force=force)
    files, manifest = _content(opened, precision)
    with (
        disk.told(to, option="--to"),
        disk.whole_folder(to.resolve(), lambda: check_place(opened.path, to, force=force)) as folder,
    ):
        for name, content in files.items():
            disk.write(folder / name, content)
        manifest = replace(manifest, files={name: proof(folder / name) for name in sorted(files)})
        disk.write(folder / bundle.MANIFEST, manifest.to_json())
        disk.fsync(folder)
    return Exported(to, sum(entry["size"] for entry in manifest.files.values()))


def _content(opened: Bundle, precision: str) -> tuple[Mapping[str, str | bytes], Manifest]:
    """Each file's content by its name in the export, and the manifest but for the files' proofs."""
    predictor = Predictor(opened)  # what rnn would not score is not handed on
    manifest = replace(opened.manifest, data=unplaced_data(opened.manifest.data))
    config = parse_config(opened.read(bundle.CONFIG).decode("utf-8"), str(opened.path / bundle.CONFIG))
    return {
        bundle.ONNX_MODEL: _graph(opened, GRAPHS[precision]),
        bundle.TOKENIZER: opened.read(bundle.TOKENIZER),
        bundle.CONFIG: to_yaml(unplaced_config(config)),
        bundle.SCRIPT: render(manifest, predictor.tokenizer),
        bundle.CARD: card(manifest, precision),
    }, manifest


def _graph(opened: Bundle, name: str) -> bytes:
    if name == bundle.INT8_MODEL and name not in opened.manifest.files:
        raise BundleError(
            "has no int8 graph", where=str(opened.path), mend="train again with this rnn, or use --precision fp32"
        )
    graph = opened.read(name)
    if not is_ours(graph):
        raise BundleError("holds what rnn never writes, such as a path to another file", where=str(opened.path / name))
    return graph
