"""Turns a config into all that training needs before the network: rows, labels, tokenizer, ids, linear baseline.

Takes no TensorFlow, so that mistakes in config and data are reported within a second or two.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_cli.arrays import label_flags, label_indices
from rnn_cli.bundle.locate import GENERAL
from rnn_cli.bundle.model_folder import CONFIG, MANIFEST, MOST_BYTES, TOKENIZER
from rnn_cli.columns import ExtraColumns
from rnn_cli.config.load import to_yaml
from rnn_cli.config.schema import OWN, Config, DataConfig, ModelConfig, TokenizerConfig
from rnn_cli.copies.learned import LearnedTexts
from rnn_cli.data.giveaways import giveaways
from rnn_cli.data.label_sets import written_labels
from rnn_cli.data.numbers import Standard, numbers_in_words, numbers_of
from rnn_cli.data.reading.remote import STANDARD_INPUT, is_remote, shown
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import IN_MEMORY, absolute
from rnn_cli.data.splits import Splits, load_splits
from rnn_cli.data.unlabelled import Unlabelled, load_unlabelled
from rnn_cli.errors import BundleError, ConfigError, ConfigMistake, DataError, Setting, few_of
from rnn_cli.evaluation.decide import check_decision
from rnn_cli.graph import WIDEST, Architecture
from rnn_cli.kinds import outputs_of
from rnn_cli.network.size import refuse_too_large, with_fitting_ngrams
from rnn_cli.scoring.ordered import flags_above
from rnn_cli.text.splitting import splitter
from rnn_cli.text.tokenizer import Tokenizer
from rnn_cli.text.tokenizer_json import UNKNOWN
from rnn_cli.training.baseline import Baseline, fit_baseline
from rnn_cli.training.baseline_of_each import BaselineOfEach, fit_baseline_of_each
from rnn_cli.training.baseline_of_numbers import BaselineOfNumbers, fit_baseline_of_numbers
from rnn_cli.training.encoding import (
    Encoded,
    label_weights,
    labels_in_order,
    numbers_beside,
    order_labels,
    positive_weights,
    row_weights,
)
from rnn_cli.training.listener import Listener
from rnn_cli.training.shared import ALONE, Shared

if TYPE_CHECKING:
    from rnn_cli.transfer.base import Base


AnyBaseline = Baseline | BaselineOfEach | BaselineOfNumbers


@dataclass(frozen=True)
class Known:
    """The parts of an earlier run that a run with the same network takes over.

    `fingerprint` identifies the rows that must be found again, and `unlabelled` the texts without labels, if there were
    any; `fingerprint` is None in further training, which may use any rows. `baseline` is of the same rows; None where
    there is none. `learned` are the texts that the model learned from with which further training began, if any.
    `near` says whether the split kept near copies on one side.
    """

    tokenizer: Tokenizer
    labels: tuple[str, ...]
    fingerprint: str | None
    unlabelled: str | None = None
    baseline: AnyBaseline | None = None
    learned: LearnedTexts | None = None
    near: bool = True
    columns: ExtraColumns | None = None
    """How the values of other columns become numbers, where the model reads any."""
    standard: Standard | None = None
    """What numbers are standardised by, of a run of numbers."""


@dataclass(frozen=True)
class Prepared:
    """A run before its training. The paths in `config` are absolute, so that they are valid in every folder.

    `unlabelled` holds the texts that the tokenizer sees besides the training rows; `origin` describes the model that
    further training starts with; `baseline` is the linear model of the same rows, if the config wants one and the rows
    suit one. `recipe` is the config's name, if it has one. `began` is the start by `time.monotonic`, and `seconds` is
    the time an interrupted run took before that, None if unknown.
    """

    config: Config
    splits: Splits
    labels: tuple[str, ...]
    tokenizer: Tokenizer
    train: Encoded
    validation: Encoded
    learned_rows: Dataset
    """The rows of `train`: without training rows that hold no known token, with sentences of others."""
    unlabelled: Unlabelled
    baseline: AnyBaseline | None
    origin: Mapping[str, Any] | None = None
    recipe: str | None = None
    began: float = field(default_factory=time.monotonic)
    seconds: float | None = 0.0
    learned: LearnedTexts | None = None
    """The texts that the model of `origin` learned from."""
    taught_texts: Sequence[str] = ()
    """The texts that a teacher reads without labels, if the config wants one: those of `unlabelled`, and with
    `data.transductive` those of validation and test rows."""
    taught_ids: Sequence[Sequence[int]] = ()
    """The same texts as ids."""
    to_learn: Encoded | None = None
    """What the network learns from where a teacher added to `train`: rows, and texts with its lessons."""
    standard: Standard | None = None
    """What numbers are standardised by; None for labels."""
    base: "Base | None" = None
    """The model that the config builds on, with the rows' new words; None in a resumed run, which has its weights."""
    columns: ExtraColumns | None = None
    """How the values of other columns become numbers, where the config names any."""
    shared: Shared = ALONE
    """What other runs of the same rows may have made already."""

    @property
    def rows_to_learn(self) -> Encoded:
        """What the network learns from."""
        return self.train if self.to_learn is None else self.to_learn

    def spent(self) -> float | None:
        """Seconds that the whole run has taken so far, None if unknown."""
        return None if self.seconds is None else self.seconds + time.monotonic() - self.began


def prepare(
    config: Config,
    listener: Listener,
    known: Known | None = None,
    source: Dataset | None = None,
    ready: tuple[Splits, Unlabelled] | None = None,
    shared: Shared = ALONE,
) -> Prepared:
    """Read and split the rows, fit the tokenizer, encode, and fit the linear baseline, except what is `known`.

    `source` holds the rows of `data.source` if they have been read, `ready` all rows where they have been split, too,
    and the texts without labels; `shared` is what other runs of the same rows have made. The tokenizer sees the
    training rows, then the texts of `data.unlabelled`, of which those of labelled rows are left out. Raises
    `DataError`, and `ConfigError` for keys that do not suit the data.
    """
    began = time.monotonic()
    # A known network already has its vectors.
    vectors = config.model.embeddings
    if known is None and vectors not in (None, OWN) and not Path(vectors).is_file():
        raise ConfigError([ConfigMistake(f"{vectors}: no such file", "model.embeddings")])
    resumes = known is not None and known.fingerprint is not None
    listener.doing("reading the rows")
    read = _read_again(config.data, source, known) if resumes else ready or read_rows(config.data, source)
    splits, unlabelled = read
    if known is not None:
        _refuse_other_rows(splits, unlabelled, known)
    base, config = _base(config, listener) if known is None else (None, config)
    config = with_absolute_paths(config)
    for note in splits.notes:
        listener.note(note)
    for warning in splits.warnings:
        listener.warn(warning)
    labels = known.labels if known else _labels(splits.train, config.data, listener)
    standard = known.standard if known else _standard(splits.train)
    columns = known.columns if known else _columns(splits.train, config.data, listener)
    listener.doing("counting and numbering tokens")
    if base is not None:
        base = base.for_texts([*splits.train.texts, *unlabelled.texts])
    fitted = known or base
    tokenizer = fitted.tokenizer if fitted else _shared_tokenizer(splits, unlabelled, config, shared)
    if known is None:
        config = _with_fitting_ngrams(config, tokenizer, labels, listener)
    _refuse_unstorable(config, tokenizer, labels, columns)
    classes, several = outputs_of(config.data.labels, len(labels))
    refuse_too_large(config.model, tokenizer.vocab_size, classes, several=several)
    check_decision(config.decision, labels, several=config.data.several)
    as_ids = _reading_as_ids(tokenizer, config.tokenizer, base, shared)
    train, sequences = _readable(_with_sentences(splits.train, config.data), tokenizer, as_ids, base, listener)
    validation = as_ids("validation", splits.validation.texts)
    unlabelled, taught_texts, taught_ids = _to_be_taught(splits, unlabelled, tokenizer, config, listener)
    weights = _weights(train, labels, config)
    sentences = max(len(train) - len(splits.train), 0)
    for line in _summaries(splits, sentences, unlabelled, labels, tokenizer):
        listener.note(line)
    if rare := _rare(splits):
        listener.warn(rare)
    if base is not None:
        _compare_with_base(base, splits, sequences, listener)
    return Prepared(
        config,
        splits,
        labels,
        tokenizer,
        _encoded(train, sequences, labels, weights, config.data, columns, standard),
        _encoded(splits.validation, validation, labels, weights, config.data, columns, standard),
        train,
        unlabelled,
        _baseline(config, splits, labels, known.baseline if known else None, listener, columns),
        origin=base.to_dict() if base else None,
        began=began,
        learned=fitted.learned if fitted else None,
        taught_texts=taught_texts,
        taught_ids=taught_ids,
        standard=standard,
        base=base,
        columns=columns,
        shared=shared,
    )


def _standard(train: Dataset) -> Standard | None:
    """What the training rows' numbers are standardised by; None for labels."""
    return Standard.of(numbers_of(train)) if train.number else None


def _labels(train: Dataset, config: DataConfig, listener: Listener) -> tuple[str, ...]:
    """The labels of the training rows in their order. Raises `ConfigError`."""
    if config.number:
        return ()
    names = [*train.label_counts()]
    if not config.ordered:
        return order_labels(names, config.positive_label)
    labels = labels_in_order(names, config.order)
    if absent := [name for name in config.order or [] if name not in labels]:
        listener.note(f"no training row has {few_of(absent)} of data.order, so the model does not know it")
    return labels


def _columns(train: Dataset, config: DataConfig, listener: Listener) -> ExtraColumns | None:
    """The other columns that the config names, fitted to the training rows; says what each is. Raises `DataError`."""
    if config.extra_columns is None:
        return None
    try:
        columns = ExtraColumns.fit(config.extra_columns, train.further)
    except DataError as error:
        raise DataError(error.what, where=error.where or train.name, hint=error.hint) from None
    for each in columns.columns:
        listener.note(f"column {each.in_words()}")
    for warning in giveaways(train, config.extra_columns):
        listener.warn(warning)
    return columns


def read_rows(data: DataConfig, source: Dataset | None = None, *, near: bool = True) -> tuple[Splits, Unlabelled]:
    """All rows of a config, split, and its texts without labels; `source` holds those of `data.source`, if read."""
    splits = load_splits(data, source, near=near)  # its messages name the files as they were given
    return splits, load_unlabelled(data, chain(splits.train.texts, splits.validation.texts, splits.test.texts))


def _read_again(data: DataConfig, source: Dataset | None, known: Known | None) -> tuple[Splits, Unlabelled]:
    """Read a resumed run's rows; piped rows must be piped again, and secrets in a URL were not stored."""
    try:
        return read_rows(data, source, near=known is None or known.near)
    except DataError as error:
        if (error.where or "").startswith(shown(STANDARD_INPUT)):
            hint = Setting("data.source", "FILE", "pipe the same rows in again, or name a file with them: {}")
        elif error.where == IN_MEMORY:
            hint = Setting("data.source", "FILE", "give the same rows again, or name a file with them: {}")
        elif is_remote(error.where or ""):
            hint = Setting("data.source", "URL", f"{error.hint}, or name it again: {{}}")
        else:
            raise
        raise DataError(f"the run's rows were read from it ({error.what})", where=error.where, hint=hint) from None


def _baseline(
    config: Config,
    splits: Splits,
    labels: tuple[str, ...],
    kept: AnyBaseline | None,
    listener: Listener,
    columns: ExtraColumns | None,
) -> AnyBaseline | None:
    if not config.training.baseline:
        return None
    if kept is None:
        if config.data.number:
            return fit_baseline_of_numbers(splits, listener)
        if config.data.several:
            return fit_baseline_of_each(splits, labels, config, listener, columns)
        return fit_baseline(splits, labels, config, listener, columns)
    if {name: len(side) for name, side in splits.held_out.items()} != {
        name: len(predicted) for name, (_, predicted) in kept.sides.items()
    }:
        raise BundleError("the checkpoint's linear baseline is of other rows")
    summary = kept.summary(splits, labels) if isinstance(kept, Baseline) else kept.summary()
    listener.note(f"linear baseline, fitted before: {summary}")
    return kept


def _shared_tokenizer(splits: Splits, unlabelled: Unlabelled, config: Config, shared: Shared) -> Tokenizer:
    def fit() -> Tokenizer:
        return _fit_tokenizer(splits.train.texts, unlabelled.texts, config)

    return shared.once("tokenizer", config.tokenizer.model_dump_json(), fit)


_AsIds = Callable[[str, Sequence[str]], list[list[int]]]
"""A side's name and its texts to their ids."""


def _reading_as_ids(tokenizer: Tokenizer, config: TokenizerConfig, base: "Base | None", shared: Shared) -> _AsIds:
    """How each side's texts become ids, where a base does not have its own way."""

    def as_ids(side: str, texts: Sequence[str]) -> list[list[int]]:
        if base is not None:
            return tokenizer.encode_all(texts)
        return shared.once(f"ids of {side}", config.model_dump_json(), lambda: tokenizer.encode_all(texts))

    return as_ids


def _fit_tokenizer(texts: Sequence[str], unlabelled: Sequence[str], config: Config) -> Tokenizer:
    # Of equally rare words the vocabulary keeps those it meets first. Files are often sorted by label: in file order
    # only the last labels' rare words would be unknown, and the unknown token would give away these labels.
    order = np.random.default_rng(config.data.split_seed).permutation(len(texts))
    return Tokenizer.fit(chain((texts[row] for row in order), unlabelled), **config.tokenizer.model_dump())


def _refuse_other_rows(splits: Splits, unlabelled: Unlabelled, known: Known) -> None:
    if known.fingerprint not in (None, splits.fingerprint):
        raise DataError(
            "the rows differ from those at the start of the run",
            where=splits.train.name,
            hint=Setting(
                "data.source",
                "FILE",
                "restore them ({}), start a new run, or train a finished model further (rnn train --from)",
            ),
        )
    if known.fingerprint is not None and unlabelled.fingerprint != known.unlabelled:
        raise DataError(
            "the unlabelled texts differ from those at the start of the run",
            where=unlabelled.named,
            hint="restore them, or start a new run",
        )
    found = {label for side in (splits.train, splits.validation, splits.test) for label in side.label_counts()}
    if new := [] if splits.train.number else sorted(found - set(known.labels)):
        raise DataError(
            f"the model does not know the label {new[0]!r}",
            where=splits.train.name,
            hint=f"it knows {few_of(known.labels)}; for other labels train a new network",
        )


def with_absolute_paths(config: Config) -> Config:
    """The config with absolute paths."""
    model = config.model
    if model.embeddings not in (None, OWN):
        model = model.model_copy(update={"embeddings": os.path.abspath(model.embeddings)})
    if model.base not in (None, GENERAL):
        model = model.model_copy(update={"base": os.path.abspath(model.base)})
    return config.model_copy(update={"data": absolute(config.data), "model": model})


def as_prepared(config: Config, known: Known, had: ModelConfig) -> Config:
    """The config as `prepare` stored it when the run started: with the n-gram buckets reduced in the same way."""
    # Unless they agree already: earlier releases did not reduce them.
    if (config.model.ngrams, config.model.ngram_buckets) == (had.ngrams, had.ngram_buckets):
        return config
    classes, several = outputs_of(config.data.labels, len(known.labels))
    model = with_fitting_ngrams(config.model, known.tokenizer.vocab_size, classes, several=several)
    return config.model_copy(update={"model": model})


MOSTLY_UNKNOWN = 0.5
"""From this share of unknown tokens on, a base can say little of texts."""


def _base(config: Config, listener: Listener) -> "tuple[Base | None, Config]":
    """The base of a new run, if the config names one, and the config with its tokenizer and layers."""
    if config.model.base is None:
        return None, config
    from rnn_cli.transfer.base import Base  # it loads ONNX Runtime

    base = Base.open(config.model.base)
    applied, lost = base.applied(config)
    if lost:
        listener.warn(f"{base.name} has its own tokenizer and layers, so these keys do not count: {few_of(lost)}")
    return base, applied


def _compare_with_base(base: "Base", splits: Splits, sequences: Sequence[Sequence[int]], listener: Listener) -> None:
    """Say how the rows suit a base, and warn where it knows rows that are to measure the new model."""
    ids = np.concatenate(sequences)
    unknown = float(np.isin(ids, [UNKNOWN, *base.new_ids]).mean())
    words = "word" if len(base.new_ids) == 1 else "words"
    new = f"; it learns {len(base.new_ids):,} new {words}" if base.new_ids else ""
    listener.note(f"the base {base.name} knows {1 - unknown:.1%} of the training rows' tokens{new}")
    if unknown > MOSTLY_UNKNOWN:
        listener.warn(f"{unknown:.0%} of the tokens are unknown to {base.name}: is it of another language?")
    if seen := int(base.learned.knows(splits.train.texts).sum()):
        rows = f"{seen:,} of the {len(splits.train):,} training rows"
        listener.warn(f"{base.name} learned from {rows}, so cross-validation trusts it too much")
    warn_of_learned(base.name, base.learned, splits, listener)


def warn_of_learned(name: str, learned: LearnedTexts, splits: Splits, listener: Listener) -> None:
    """Warn where a new model is measured on rows that the model it builds on, called `name`, has learned from."""
    for side, rows in splits.held_out.items():
        if seen := int(learned.knows(rows.texts).sum()):
            counts = f"{seen:,} of the {len(rows):,} {side} rows"
            listener.warn(f"{name} learned from {counts}, so the metrics there are too good")


def _with_fitting_ngrams(config: Config, tokenizer: Tokenizer, labels: Sequence[str], listener: Listener) -> Config:
    given = config.model
    classes, several = outputs_of(config.data.labels, len(labels))
    model = with_fitting_ngrams(given, tokenizer.vocab_size, classes, several=several)
    lacks_room = {
        "model.base": given.base is not None and model != given,
        "training.teacher": config.training.teacher is not None and not model.ngrams,
        "model.kind": given.kind != "network" and not model.ngrams,
    }
    what = f"{len(labels):,} labels leave no room for its n-grams; leave the key out"
    if mistakes := [ConfigMistake(what, key) for key, lacks in lacks_room.items() if lacks]:
        raise ConfigError(mistakes)
    why = f"{len(labels):,} labels leave room for"
    if not model.ngrams and given.ngrams:
        listener.note(f"{why} no n-grams (model.ngrams: 0); a smaller tokenizer.vocab_size may leave some")
    elif model != given:
        listener.note(
            f"{why} {model.ngram_buckets:,} n-gram buckets (model.ngram_buckets), not {given.ngram_buckets:,}"
        )
    return config.model_copy(update={"model": model})


def _refuse_unstorable(
    config: Config, tokenizer: Tokenizer, labels: Sequence[str], columns: ExtraColumns | None
) -> None:
    """Refuse what could not be stored, or not be read again."""
    classes, several = outputs_of(config.data.labels, len(labels))
    width = 0 if columns is None else columns.width
    made_of = Architecture.of(config.model, tokenizer.vocab_size, classes, several=several, columns=width)
    if (widest := made_of.widest) > WIDEST:
        what = f"{widest:,} numbers in a layer, or in a one-hot vector, are too many; the maximum is {WIDEST:,}"
        raise ConfigError([ConfigMistake(what, "model")])
    stored = {
        "tokenizer.vocab_size": (tokenizer.to_json(), MOST_BYTES[TOKENIZER]),
        "data.label_column": ("".join(labels), MOST_BYTES[MANIFEST] // 8),
        "config": (to_yaml(config), MOST_BYTES[CONFIG]),
    }
    for key, (text, most) in stored.items():
        if len(text.encode("utf-8")) > most:
            what = f"takes {len(text):,} characters in the model's folder; the maximum is {most:,} bytes"
            raise ConfigError([ConfigMistake(what, key)])


def _readable(
    dataset: Dataset, tokenizer: Tokenizer, as_ids: _AsIds, base: "Base | None", listener: Listener
) -> tuple[Dataset, list[list[int]]]:
    """The rows and their ids, without rows that hold no known token: they would teach nothing but their label."""
    sequences = as_ids("training", dataset.texts)
    kept = [row for row, ids in enumerate(sequences) if tokenizer.knows(ids)]
    dropped = len(dataset) - len(kept)
    if not dropped:
        return dataset, sequences
    rows = "row was" if dropped == 1 else "rows were"
    listener.warn(f"{dropped:,} training {rows} dropped: no known token")
    left = dataset.select(kept)
    if dataset.number:
        if not kept:
            hint = "check data.text_column and tokenizer.filters"
            raise DataError("no training text holds a known token", where=dataset.name, hint=hint)
        return left, [sequences[row] for row in kept]
    if missing := sorted(set(dataset.label_counts()) - set(left.label_counts())):
        raise DataError(
            f"no training text labelled {missing[0]!r} holds a known token",
            where=dataset.name,
            hint="check data.text_column and tokenizer.filters"
            if base is None
            else f"train without the base {base.name}",
        )
    return left, [sequences[row] for row in kept]


def _to_be_taught(
    splits: Splits, unlabelled: Unlabelled, tokenizer: Tokenizer, config: Config, listener: Listener
) -> tuple[Unlabelled, list[str], list[Any]]:
    """The texts that a teacher reads without labels, and their ids: none without a teacher.

    Of the unlabelled texts, and of those returned, only those remain that hold a known token.
    """
    if config.training.teacher is None:
        return unlabelled, [], []
    kept, ids = _known(unlabelled.texts, tokenizer)
    if not kept:
        what = "no unlabelled text holds a known token" if unlabelled.texts else "labelled rows have all of these texts"
        where = unlabelled.named or splits.train.name
        raise DataError(what, where=where, hint="name more texts of the same kind, or train without a teacher")
    held_out = [*splits.validation.texts, *splits.test.texts] if config.data.transductive else []
    more, more_ids = _known(held_out, tokenizer)
    if dropped := len(unlabelled.texts) - len(kept):
        listener.note(f"unlabelled texts without a known token, left out: {dropped:,}")
    unlabelled = replace(unlabelled, texts=kept, found=unlabelled.found - dropped)
    return unlabelled, [*kept, *more], [*ids, *more_ids]


def _known(texts: Sequence[str], tokenizer: Tokenizer) -> tuple[list[str], list[Any]]:
    """The texts that hold a known token, and their ids: arrays, as lists take several times the memory."""
    kept, ids = list[str](), list[Any]()
    for text in texts:
        found = tokenizer.encode(text)
        if tokenizer.knows(found):
            kept.append(text)
            ids.append(np.array(found, np.int32))
    return kept, ids


SENTENCE_WORDS = 5, 45
"""The least and the largest number of words of a sentence that is learned from by itself."""


def _with_sentences(rows: Dataset, config: DataConfig) -> Dataset:
    """The rows, followed by sentences of them where a source asks for these."""
    most = {each.called: each.sentences for each in config.sources or () if each.sentences}
    if not most:
        return rows
    split = splitter("sentence", str, "keep", "unicode")
    chance = random.Random(config.split_seed)
    taken, sentences = list(range(len(rows))), list(rows.texts)
    for row, (text, source) in enumerate(zip(rows.texts, rows.sources or (), strict=True)):
        if source in most:
            parts = split(text.replace("<br />", "\n"))
            found = [part for part in parts if SENTENCE_WORDS[0] <= len(part.split()) <= SENTENCE_WORDS[1]]
            found = chance.sample(found, min(len(found), most[source])) if len(parts) > 1 else []
            taken += [row] * len(found)
            sentences += found
    return replace(rows.select(taken), texts=sentences)


def _weights(train: Dataset, labels: Sequence[str], config: Config) -> dict[str, float]:
    """Each label's weight in the loss; of several labels a text, which have one in their own loss, none."""
    if train.number:
        return {}
    if not train.several:
        return label_weights(train.labels, labels, config.training)
    positive_weights(train, labels, config.training)  # refuses what is no label
    return {}


def _encoded(
    dataset: Dataset,
    sequences: list[list[int]],
    labels: Sequence[str],
    weights: dict[str, float],
    config: DataConfig,
    columns: ExtraColumns | None,
    standard: Standard | None,
) -> Encoded:
    numbers = numbers_beside(columns, dataset)
    own = np.array(dataset.weights or [1.0] * len(dataset), np.float32)
    if standard is not None:
        values = standard.standardised(numbers_of(dataset)).astype(np.float32)
        return Encoded(sequences, np.zeros(len(dataset), np.intp), own, values=values)
    if dataset.several:
        return Encoded(sequences, label_flags(labels, dataset.label_sets), own, columns=numbers)
    classes = label_indices(labels, dataset.labels)
    return Encoded(
        sequences,
        flags_above(classes, len(labels)) if config.ordered else classes,
        np.array(row_weights(dataset, weights), np.float32),
        columns=numbers,
    )


FEW_OF_LABEL = 5


def _rare(splits: Splits) -> str | None:
    """That some labels have too few rows to learn them or to measure them."""
    if splits.train.number:
        return None
    counts = splits.train.label_counts() + splits.validation.label_counts() + splits.test.label_counts()
    rare = [f"{label} {count}" for label, count in counts.items() if count < FEW_OF_LABEL]
    if not rare:
        return None
    label = "a label has" if len(rare) == 1 else f"{len(rare):,} labels have"
    return (
        f"{label} fewer than {FEW_OF_LABEL} rows ({few_of(rare)}): whether the model can tell it apart cannot be known"
    )


def _summary_of_sources(splits: Splits) -> str:
    """The rows of each source on each side."""
    sides = {"training": splits.train, "validation": splits.validation, "test": splits.test}
    counts = {name: Counter(side.sources) for name, side in sides.items() if len(side)}
    names = dict.fromkeys(name for of in counts.values() for name in of)
    return "sources: " + "; ".join(
        f"{name} {', '.join(f'{of[name]:,} {side}' for side, of in counts.items() if of[name])}" for name in names
    )


def _summaries(
    splits: Splits, sentences: int, unlabelled: Unlabelled, labels: Sequence[str], tokenizer: Tokenizer
) -> Iterator[str]:
    """What the run has to learn from, in lines."""
    yield _summary(splits, sentences, unlabelled, labels, tokenizer)
    if splits.train.sources:
        yield _summary_of_sources(splits)
    if unlabelled.found > len(unlabelled.texts) and len(unlabelled.texts):
        yield f"unlabelled texts: a sample of {len(unlabelled.texts):,} of {unlabelled.found:,} by chance"
    if unlabelled.left_out:
        yield f"unlabelled texts that labelled rows have, too, left out: {unlabelled.left_out:,}"


def _summary(
    splits: Splits, sentences: int, unlabelled: Unlabelled, labels: Sequence[str], tokenizer: Tokenizer
) -> str:
    sides = {"training": splits.train, "validation": splits.validation, "test": splits.test}
    rows = ", ".join(f"{len(side):,} {name}" for name, side in sides.items()) + " rows"
    if sentences:
        rows += f" and {sentences:,} sentences of them"
    if unlabelled.texts:
        rows += f", {len(unlabelled.texts):,} unlabelled texts"
    kinds = f"{len(labels)} labels ({few_of(labels)})"
    if splits.train.number:
        kinds = numbers_in_words(numbers_of(splits.train))
    if splits.train.several:
        mean = sum(splits.train.label_counts().values()) / len(splits.train)
        none = splits.train.labels.count(written_labels(()))
        kinds += f", {mean:.2f} a text on average" + (f", none in {none:,} training texts" if none else "")
    return f"{rows}; {kinds}; {tokenizer.vocab_size:,} token ids"
