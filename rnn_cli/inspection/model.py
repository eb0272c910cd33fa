"""What a trained model is and where it comes from, read from its folder. Loads no TensorFlow, and runs nothing."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rnn_cli.bundle.history import best_epoch, read_history
from rnn_cli.bundle.locate import shown_model
from rnn_cli.bundle.model_folder import (
    COLUMNS_FILE,
    CONFIG,
    HISTORY,
    MANIFEST,
    METRICS,
    ONNX_MODEL,
    RUN,
    Bundle,
    Manifest,
)
from rnn_cli.columns import ExtraColumn
from rnn_cli.config.load import load_config, recipes, stored_config
from rnn_cli.config.schema import Config
from rnn_cli.data.reading.remote import shown_source
from rnn_cli.evaluation.compare import kept_metrics
from rnn_cli.evaluation.evaluate_numbers import kept_metrics_of_numbers
from rnn_cli.evaluation.evaluate_several import kept_metrics_of_each
from rnn_cli.evaluation.metrics import Metrics
from rnn_cli.evaluation.numbers import NumberMetrics
from rnn_cli.evaluation.several import SeveralMetrics
from rnn_cli.graph import Graph
from rnn_cli.graph.architecture import Layer
from rnn_cli.scoring.extra import read_extra_columns, width_of_columns
from rnn_cli.scoring.parts import check_config, read_fitting_graph, read_tokenizer
from rnn_cli.text.tokenizer import Tokenizer

AnyMetrics = Metrics | SeveralMetrics | NumberMetrics


@dataclass(frozen=True)
class Epochs:
    """A run's epochs: the configured maximum, how many were trained, and the one whose weights were kept."""

    most: int
    trained: int
    kept: int


@dataclass(frozen=True)
class Settings:
    """A recipe and how a config differs from it, apart from its data: dotted key to the config's value.

    The recipe is the one of the run, if that `is_noted`, else the nearest.
    """

    recipe: str
    changed: Mapping[str, Any]
    is_noted: bool = False


@dataclass(frozen=True)
class Overview:
    """All that a model's folder says of it. `epochs` and `test` are None if the folder has no such file or rows.

    `files` are the sizes in bytes. `written` is when the run finished, if the model `is_dated`; else when the file of
    the manifest last changed, which copying may alter.
    """

    path: Path
    manifest: Manifest
    tokenizer: Tokenizer
    graph: Graph
    config: Config
    settings: Settings
    files: Mapping[str, int]
    written: datetime
    is_dated: bool
    epochs: Epochs | None
    test: AnyMetrics | None
    columns: tuple[ExtraColumn, ...] = ()
    """The other columns that the model reads."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The network's layers in order; the last one gives each of several labels a probability by itself."""
        *others, last = self.graph.architecture.layers
        steps = {
            "several": "sigmoid, a label each",
            "ordered": "sigmoid, above each label but the last",
            "number": "linear, the number",
        }
        what = steps.get(self.manifest.kind, last.what)
        return (*others, replace(last, what=what))

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        manifest, tokenizer, network = self.manifest, self.tokenizer, self.graph.architecture
        return {
            "model": shown_model(self.path),
            "layers": [
                {
                    "name": layer.name,
                    "what": layer.what,
                    "output": [layer.along, layer.width] if layer.along else [layer.width],
                    "parameters": layer.weights,
                }
                for layer in self.layers
            ],
            "parameters": network.weights,
            **({"columns": [{"kind": each.kind, **asdict(each)} for each in self.columns]} if self.columns else {}),
            "precision": "int8" if self.graph.is_int8 else "fp32",
            "files": dict(self.files),
            "labels": list(manifest.labels),
            "several": manifest.several,
            **({"ordered": True} if manifest.ordered else {}),
            **({"number": {"center": manifest.center, "scale": manifest.scale}} if manifest.number else {}),
            "vocabulary": {
                "size": tokenizer.vocab_size,
                "level": tokenizer.level,
                "lowercase": tokenizer.lowercase,
                "filters": tokenizer.filters,
                "punctuation": tokenizer.punctuation,
            },
            "max_length": tokenizer.max_length,
            "truncate": tokenizer.truncate,
            "decision": {"thresholds": list(manifest.thresholds), "most": manifest.most}
            if manifest.several
            else {"choice": manifest.choice, "unsure_below": manifest.unsure_below}
            if manifest.ordered
            else {"threshold": manifest.threshold, "unsure_below": manifest.unsure_below},
            "temperature": manifest.temperature,
            "vector_scaling": _scaling(manifest),
            "ngrams": {"longest": network.ngrams, "buckets": network.buckets} if network.ngrams else None,
            "data": {"source": shown_source(self.config.data), **manifest.data},
            "recipe": {
                "name" if self.settings.is_noted else "nearest": self.settings.recipe,
                "changed": dict(self.settings.changed),
            },
            "seed": self.config.training.seed,
            "split_seed": self.config.data.split_seed,
            "epochs": None if self.epochs is None else asdict(self.epochs),
            "written": self.written.isoformat(timespec="seconds"),
            "versions": dict(manifest.versions),
            "test": None if self.test is None else self.test.to_dict(),
        }


def _scaling(manifest: Manifest) -> dict[str, list[float]] | None:
    return {"scales": list(manifest.scales), "biases": list(manifest.biases)} if manifest.scales else None


def look(opened: Bundle) -> Overview:
    """Read what describes a bundle; raises `BundleError` if any of it is damaged or foreign."""
    manifest, tokenizer = opened.manifest, read_tokenizer(opened)
    where = str(opened.path / ONNX_MODEL)
    graph = read_fitting_graph(opened.read(ONNX_MODEL), where, tokenizer, manifest.outputs, width_of_columns(opened))
    config = stored_config(opened.read(CONFIG), str(opened.path / CONFIG))
    check_config(opened, config, tokenizer, graph.architecture)
    own = (opened.path / MANIFEST).stat()
    run = manifest.data.get(RUN, {})
    finished = run.get("finished")
    written = datetime.fromisoformat(finished) if isinstance(finished, str) else datetime.fromtimestamp(own.st_mtime)
    epochs = None
    if HISTORY in manifest.files:
        history = read_history(opened)
        epochs = Epochs(config.training.epochs, len(history), best_epoch(history, config.training).epoch)
    return Overview(
        path=opened.path,
        manifest=manifest,
        tokenizer=tokenizer,
        graph=graph,
        config=config,
        settings=recipe_of(config, run.get("recipe")),
        files={name: proof["size"] for name, proof in manifest.files.items()} | {MANIFEST: own.st_size},
        written=written.astimezone(),
        is_dated=isinstance(finished, str),
        epochs=epochs,
        test=_kept_test(opened),
        columns=read_extra_columns(opened).columns if COLUMNS_FILE in manifest.files else (),
    )


def _kept_test(opened: Bundle) -> AnyMetrics | None:
    if METRICS not in opened.manifest.files:
        return None
    if opened.manifest.number:
        return kept_metrics_of_numbers(opened, "test")
    return (kept_metrics_of_each if opened.manifest.several else kept_metrics)(opened, "test")


def recipe_of(config: Config, trained_as: str | None = None) -> Settings:
    """The recipe a config was `trained_as`; if that is not known, the one with the fewest keys that differ."""
    apart = {name: config.differences(load_config(name)) for name in recipes()}
    if config.model.base is not None:  # the tokenizer and the layers are the base's, whatever the recipe says
        apart = {
            name: {key: each for key, each in differing.items() if not key.startswith(("tokenizer.", "model."))}
            | {key: each for key, each in differing.items() if key == "model.base"}
            for name, differing in apart.items()
        }
    changed = {
        name: {key: mine for key, (mine, _) in differing.items() if not key.startswith("data.")}
        for name, differing in apart.items()
    }
    if trained_as in changed:
        return Settings(trained_as, changed[trained_as], is_noted=True)
    name = min(changed, key=lambda each: len(changed[each]))
    return Settings(name, changed[name])
