"""A bundle to a folder that answers without rnn: graph, tokenizer, manifest, and the code that scores. Prints nothing.

The folder is a bundle itself, of fewer files: what tells of the training rows (the predictions, the report, the
figures) and what only training needs stays behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rnn_cli import bundle
from rnn_cli.bundle import PRECISION, Bundle, Manifest, disk
from rnn_cli.bundle.signed import proof
from rnn_cli.exporting.card import card
from rnn_cli.exporting.places import unplaced_config, unplaced_data
from rnn_cli.exporting.runtime import runtime
from rnn_cli.exporting.target import RUNTIME, check_place
from rnn_cli.loading import stored_config, to_yaml
from rnn_cli.scoring.parts import check_config
from rnn_cli.scoring.precision import Precision, graph_file
from rnn_cli.scoring.predictor import Predictor


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
    check_place(opened.path, to, force=force)
    precision = opened.manifest.data.get(PRECISION, precision)  # an export has but one graph
    files, manifest = _content(opened, precision)
    with (
        disk.told(to, option="--to"),
        disk.whole_folder(to.resolve(), lambda: check_place(opened.path, to, force=force)) as folder,
    ):
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            disk.write(folder / name, content)
        own = sorted(name for name in files if not name.startswith(RUNTIME))  # the model's, and what starts the rest
        manifest = replace(manifest, files={name: proof(folder / name) for name in own})
        disk.write(folder / bundle.MANIFEST, manifest.to_json())
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Exported(to, size, precision)


def _content(opened: Bundle, precision: Precision) -> tuple[Mapping[str, str | bytes], Manifest]:
    """Each file's content by its name in the export, and the manifest but for the files' proofs."""
    predictor = Predictor(opened, precision=precision)  # what rnn would not score is not handed on
    marked = {} if precision == "fp32" else {PRECISION: precision}
    manifest = replace(opened.manifest, data=unplaced_data(opened.manifest.data) | marked)
    config = stored_config(opened.read(bundle.CONFIG), str(opened.path / bundle.CONFIG))
    check_config(opened, config, predictor.tokenizer, predictor.architecture)
    return {
        bundle.ONNX_MODEL: opened.read(graph_file(opened, precision)),
        bundle.TOKENIZER: opened.read(bundle.TOKENIZER),
        bundle.CONFIG: to_yaml(unplaced_config(config)),
        bundle.CARD: card(manifest, precision),
        **runtime(),
    }, manifest
