"""Puts a run of the recipe `general` into the package: python -m rnn_cli.models.package RUN FIGURES.

Kept are the graph in 32 bits, from which training goes on, that in 8 bits, the tokenizer, the config, the metrics and
the hashes of the texts that were learned from; no text. FIGURES is what tests/bench/general.py wrote: how good the
recipe is on each source when that source is left out.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from rnn_cli import system
from rnn_cli.arrays import Floats32
from rnn_cli.bundle.locate import GENERAL_FOLDER
from rnn_cli.bundle.model_folder import (
    CARD,
    CONFIG,
    HISTORY,
    INT8_MODEL,
    LEARNED,
    MANIFEST,
    METRICS,
    ONNX_MODEL,
    TOKENIZER,
    Bundle,
    proof,
)
from rnn_cli.config.load import stored_config, to_yaml
from rnn_cli.export.export import unplaced_config
from rnn_cli.graph import read_graph
from rnn_cli.network.quantize import to_int8
from rnn_cli.reporting.drawing import draw

KEPT_BITS = 10
"""Of the 23 bits behind the point of each weight. The others are zeros, which a wheel's compression leaves out; they
change a probability by less than 0.001."""


def package(run: Path, figures: Path, folder: Path = GENERAL_FOLDER) -> None:
    """Write `folder`, whole or not at all. Raises `BundleError` where the run is damaged."""
    opened, known = Bundle.open(run), json.loads(figures.read_text(encoding="utf-8"))
    config = unplaced_config(stored_config(opened.read(CONFIG), str(run / CONFIG)))
    graph = rounded_graph(opened.read(ONNX_MODEL))
    manifest = replace(opened.manifest, unsure_below=known["unsure_below"])
    files: dict[str, str | bytes] = {
        ONNX_MODEL: graph,
        INT8_MODEL: to_int8(graph),
        CONFIG: to_yaml(config),
        CARD: draw("general.md", manifest=manifest, config=config, figures=known),
        **{name: opened.read(name) for name in (TOKENIZER, METRICS, HISTORY, LEARNED)},
    }
    with system.whole_folder(folder, lambda: None) as made:
        for name, content in files.items():
            system.write(made / name, content)
        manifest = replace(manifest, files={name: proof(made / name) for name in sorted(files)})
        system.write(made / MANIFEST, manifest.to_json())


def rounded_graph(graph: bytes) -> bytes:
    """The same graph with each float rounded to `KEPT_BITS` bits behind the point."""
    content = bytearray(graph)
    for tensor in read_graph(content, "the graph").weights:
        tensor[...] = rounded(tensor)
    return bytes(content)


def rounded(values: Floats32) -> Floats32:
    """The nearest numbers of `KEPT_BITS` bits behind the point; halves are rounded to even."""
    dropped = np.uint32(23 - KEPT_BITS)
    bits = np.ascontiguousarray(values, "<f4").view(np.uint32)
    half = (np.uint32(1) << (dropped - np.uint32(1))) - np.uint32(1) + ((bits >> dropped) & np.uint32(1))
    found: Floats32 = ((bits + half) >> dropped << dropped).view(np.float32)
    return found


if __name__ == "__main__":
    package(Path(sys.argv[1]), Path(sys.argv[2]))
