"""Further training: a new run that starts with the network, tokenizer and labels of a trained model.

Takes no TensorFlow; the weights are loaded by `rnn_cli.training.run`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rnn_cli.arrays import AnyArray
from rnn_cli.bundle.checkpoints import newest_checkpoint
from rnn_cli.bundle.learned import learned_texts
from rnn_cli.bundle.locate import shown_model
from rnn_cli.bundle.model_folder import COLUMNS_FILE, CONFIG, NEAR_TOGETHER, ONNX_MODEL, UNFINISHED, Bundle
from rnn_cli.config.load import Override, load_config, stored_config, with_overrides
from rnn_cli.config.schema import Config
from rnn_cli.copies.learned import UNKNOWN_TEXTS
from rnn_cli.data.numbers import Standard
from rnn_cli.errors import BundleError, ConfigError, ConfigMistake, few_of
from rnn_cli.graph import Graph
from rnn_cli.scoring.extra import read_extra_columns
from rnn_cli.scoring.parts import check_config, read_fitting_graph, read_tokenizer
from rnn_cli.text.tokenizer_json import UNKNOWN
from rnn_cli.training.checkpointing import SavedRun
from rnn_cli.training.listener import Listener
from rnn_cli.training.prepare import Known, Prepared, as_prepared, warn_of_learned

FREE = {"base", "dropout", "embedding_dropout", "recurrent_dropout", "trainable_embeddings", "embeddings"}
"""Keys of `model` that may differ, as they change no weight's shape or meaning; word vectors are not read again."""


@dataclass(frozen=True)
class Origin:
    """The model that further training starts with, from a bundle or a checkpoint of an unfinished run.

    `weights` are a checkpoint's; a bundle's are in its `graph`. The bundle's Keras file is never read: opening such a
    file can run code that is in it.
    """

    path: Path
    config: Config
    known: Known
    bundle: Bundle | None = None
    graph: Graph | None = None
    weights: Sequence[AnyArray] = ()

    @classmethod
    def open(cls, path: Path, warn: Callable[[str], None]) -> "Origin":
        """Open a trained bundle or an unfinished run; raises `BundleError`. `warn` receives damaged checkpoints."""
        if path.name.endswith(UNFINISHED):
            saved = SavedRun.read(newest_checkpoint(path, warn))
            known = replace(saved.known, fingerprint=None, baseline=None, learned=UNKNOWN_TEXTS)
            return cls(path, saved.config, known, weights=saved.arrays["model"])
        opened, where = Bundle.open(path), str(path / ONNX_MODEL)
        config = stored_config(opened.read(CONFIG), str(path / CONFIG))
        tokenizer, labels = read_tokenizer(opened), opened.manifest.labels
        columns = read_extra_columns(opened) if COLUMNS_FILE in opened.manifest.files else None
        graph = read_fitting_graph(
            opened.read(ONNX_MODEL),
            where,
            tokenizer,
            opened.manifest.outputs,
            0 if columns is None else columns.width,
        )
        check_config(opened, config, tokenizer, graph.architecture)
        if graph.architecture.is_linear:
            hint = "train a new one on all rows; it takes seconds"
            raise BundleError("is a linear model, which is not trained further", where=where, hint=hint)
        if graph.is_int8:
            raise BundleError("computes in 8 bits", where=where, hint="name the folder that rnn train wrote")
        return cls(
            path,
            config,
            Known(
                tokenizer,
                labels,
                fingerprint=None,
                learned=learned_texts(opened) or UNKNOWN_TEXTS,
                columns=columns,
                standard=Standard(opened.manifest.center, opened.manifest.scale) if opened.manifest.number else None,
            ),
            opened,
            graph,
        )

    @property
    def name(self) -> str:
        """The model as a user knows it."""
        return shown_model(self.path)

    def further(self, config: str | None, overrides: Sequence[Override]) -> Config:
        """The config of the new run: `config`, or else this model's config, with overrides.

        Raises `ConfigError` for each key that would need another network or tokenizer.
        """
        if config is None:
            wanted = with_overrides(self.config, overrides, str(self.path / CONFIG))
        else:
            wanted = as_prepared(load_config(config, overrides), self.known, self.config.model)
        wrong: list[ConfigMistake] = []
        for section in ("tokenizer", "model"):
            ours, theirs = getattr(self.config, section).model_dump(), getattr(wanted, section).model_dump()
            wrong += [
                ConfigMistake(
                    f"is {theirs[key]!r}, but {self.name} has {ours[key]!r}; further training keeps the "
                    f"network, so leave {'CONFIG' if config else 'it'} out",
                    f"{section}.{key}",
                )
                for key in ours
                if ours[key] != theirs[key] and not (section == "model" and key in FREE)
            ]
        vectors = wanted.model.embeddings
        if vectors not in (None, self.config.model.embeddings):
            what = f"{vectors}: further training keeps the vectors of {self.name}"
            wrong.append(ConfigMistake(what, "model.embeddings"))
        base = wanted.model.base
        if base not in (None, self.config.model.base):
            wrong.append(ConfigMistake(f"{base}: further training keeps the layers of {self.name}", "model.base"))
        if wanted.data.unlabelled not in (None, self.config.data.unlabelled):
            what = f"further training keeps the vocabulary and the vectors of {self.name}"
            wrong.append(ConfigMistake(what, "data.unlabelled"))
        if wanted.data.labels != self.config.data.labels:
            kinds = {
                "single": "one label",
                "several": "several labels",
                "ordered": "one of ordered labels",
                "number": "a number",
            }
            kind = kinds[self.config.data.labels]
            wrong.append(ConfigMistake(f"{self.name} gives a text {kind}, and keeps to that", "data.labels"))
        if wanted.data.extra_columns != self.config.data.extra_columns:
            ours = few_of([*(self.config.data.extra_columns or ["none"])])
            wrong.append(ConfigMistake(f"{self.name} keeps its other columns: {ours}", "data.extra_columns"))
        wrong += self._not_further(wanted)
        positive = wanted.data.positive_label
        if positive is not None and (len(self.known.labels) != 2 or positive != self.known.labels[1]):
            labels = " and ".join(self.known.labels)
            what = f"{self.name} keeps its labels and their order: {labels}"
            wrong.append(ConfigMistake(what, "data.positive_label"))
        if wrong:
            raise ConfigError(wrong)
        data = wanted.data.model_copy(update={"unlabelled": None, "transductive": False})
        model = wanted.model.model_copy(update={"embeddings": None, "base": None})
        training = wanted.training.model_copy(update={"teacher": None, "folds": None, "fold_repeats": 1})
        return wanted.model_copy(update={"data": data, "model": model, "training": training})

    def _not_further(self, wanted: Config) -> list[ConfigMistake]:
        """What only new models have, unless it is this one's, and so left out."""
        not_here = {
            "teacher": "further training has no teacher",
            "folds": f"{self.name} may know the rows of all folds already; leave it out",
        }
        ours, theirs = self.config.training, wanted.training
        return [
            ConfigMistake(what, f"training.{key}")
            for key, what in not_here.items()
            if getattr(theirs, key) not in (None, getattr(ours, key))
        ]

    def compare(self, run: Prepared, listener: Listener) -> None:
        """Report how the new rows suit this model, and warn where rows it was trained on could now measure it."""
        counts = run.learned_rows.label_counts()
        if missing := [label for label in run.labels if not counts[label]]:
            listener.warn(f"no training row is labelled {few_of(missing)}; {self.name} may forget it")
        read = max(int(run.train.lengths().sum()), 1)
        unknown = sum(ids.count(UNKNOWN) for ids in run.train.sequences) / read
        listener.note(
            f"{unknown:.0%} of the new rows' tokens are not in the vocabulary of {self.name}, which does not change"
        )
        keys = ("validation", "test", "group_column", "time_column", "split_seed")
        ours, theirs = ([getattr(each, key) for key in keys] for each in (self.config.data, run.config.data))
        is_same = False
        if self.bundle is not None:
            ours.append(self.bundle.manifest.data.get(NEAR_TOGETHER, False))
            theirs.append(run.splits.near)
            is_same = self.bundle.manifest.data["fingerprint"] == run.splits.fingerprint
        if is_same and ours == theirs:
            return
        learned = self.known.learned or UNKNOWN_TEXTS
        warn_of_learned(self.name, learned, run.splits, listener)
        if learned.is_whole:
            return
        if is_same:
            split = f"{self.name} was trained on these rows with another split"
            listener.warn(f"{split}, so the new model's metrics are too good")
        else:
            unsaid = f"{self.name} does not say which texts it learned from"
            listener.warn(f"{unsaid}: if they are among these rows, the new model's metrics are too good")

    def to_dict(self) -> dict[str, Any]:
        """Its entry in the new bundle's manifest."""
        entry: dict[str, Any] = {"model": shown_model(self.path.resolve())}
        if self.bundle is not None:
            manifest = self.bundle.manifest
            entry |= {"sha256": manifest.files[ONNX_MODEL]["sha256"], "data": manifest.data["fingerprint"]}
        return entry
