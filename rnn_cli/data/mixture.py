"""Several sources of labelled texts as one set of rows, each with its source's name and its weight."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from rnn_cli.config.schema import DataConfig, LabelledFile, SourceConfig
from rnn_cli.data.builtin import NotThere
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import is_builtin, iterate_texts, load_rows, need_source
from rnn_cli.errors import DataError, few_of

_READING = tuple(key for key in LabelledFile.model_fields if key != "source")
"""The keys of a source that say how to read it."""


def load_mixture(config: DataConfig, sources: Sequence[SourceConfig]) -> Dataset:
    """The rows of all sources, in order; of equal texts only the first. Raises `DataError`.

    The weights are those of `SourceConfig`, 1 on average.
    """
    parts, warnings = [], list[str]()
    for source in sources:
        with _without_optional(source, warnings.append):
            if source.unlabelled:
                need_source(source.source)
                continue
            part = _load(source, config)
            warnings += part.warnings
            parts.append((source, part))
    if not parts:
        raise DataError("none of the optional sources is there", where="data.sources", hint="add one of them")
    seen: dict[str, str] = {}
    kept: list[tuple[SourceConfig, Dataset]] = []
    for source, part in parts:
        before = {text: label for text in part.texts if (label := seen.get(text)) is not None}
        if before:
            contradicting = sum(
                before.get(text, label) != label for text, label in zip(part.texts, part.labels, strict=True)
            )
            others = f"; {contradicting:,} of them with another label there" if contradicting else ""
            count = sum(text in before for text in part.texts)
            warnings.append(f"{source.called}: rows left out, as an earlier source has their text: {count:,}{others}")
            part = part.select(row for row, text in enumerate(part.texts) if text not in before)
        seen |= dict(zip(part.texts, part.labels, strict=True))
        kept.append((source, part))
    warnings += _strangers(kept)
    of_size = config.balance == "sources"
    weights = [weight / (len(part) if of_size else 1) for source, part in kept for weight in _weights(source, part)]
    mean = sum(weights) / max(len(weights), 1)
    return Dataset(
        name=kept[0][0].called if len(kept) == 1 else f"{len(kept)} sources",
        texts=[text for _, part in kept for text in part.texts],
        labels=[label for _, part in kept for label in part.labels],
        lines=[line for _, part in kept for line in part.lines],
        files=[part.file_of(row) for _, part in kept for row in range(len(part))],
        sources=[source.called for source, part in kept for _ in range(len(part))],
        weights=[weight / mean for weight in weights],
        warnings=tuple(warnings),
        notes=tuple(dict.fromkeys(note for _, part in kept for note in part.notes)),
    )


def _strangers(parts: Sequence[tuple[SourceConfig, Dataset]]) -> Iterator[str]:
    """Sources that share no label with another one, though nothing says that they should not."""
    for source, part in parts:
        own = set(part.labels)
        others = {label for other, rows in parts if other is not source for label in rows.labels}
        if others and not others & own and source.label is None and source.labels is None:
            yield f"{source.called}: no other source has one of its labels ({few_of(sorted(own))}); labels can map them"


def read_unlabelled_sources(config: DataConfig) -> Iterator[str]:
    """The texts of the sources that are `unlabelled`, in order. Raises `DataError`."""
    for source in config.sources or ():
        if source.unlabelled:
            with _without_optional(source):  # that it is left out was said when the labelled rows were read
                yield from iterate_texts(source.source, _how(source, config))


@contextmanager
def _without_optional(source: SourceConfig, warn: Callable[[str], None] | None = None) -> Iterator[None]:
    """Pass over an optional source that is not there, and `warn` of it."""
    try:
        yield
    except NotThere as error:
        if not source.optional:
            raise
        if warn is not None:
            warn(f"{source.called} is left out: {error.what}")


def _how(source: SourceConfig, config: DataConfig) -> DataConfig:
    """How to read a source."""
    return config.model_copy(update={"sources": None, **{key: getattr(source, key) for key in _READING}})


def _load(source: SourceConfig, config: DataConfig) -> Dataset:
    """One source's rows, with the model's labels."""
    given = [key for key in _READING if getattr(source, key) != SourceConfig.model_fields[key].default]
    if given and is_builtin(source.source):
        raise DataError(f"a built-in set, of which {given[0]} says nothing", where=source.called, hint="leave it out")
    rows = load_rows(source.source, _how(source, config), label=source.label)
    rows = _renamed(source, rows)
    if source.rows is not None and source.rows < len(rows):
        chance = random.Random(f"{config.split_seed} {source.called}")
        rows = rows.select(sorted(chance.sample(range(len(rows)), source.rows)))
    return rows


_OTHERS = "*"


def _renamed(source: SourceConfig, rows: Dataset) -> Dataset:
    """The rows with the model's labels, without those whose label the map leaves out."""
    if source.labels is None:
        return rows
    counts = Counter(rows.labels)
    others = sorted(set(counts) - set(source.labels))
    only_leaves_out = not any(source.labels.values())
    if others and _OTHERS not in source.labels and not only_leaves_out:
        missed = few_of([f"{label} ({counts[label]:,} rows)" for label in others])
        hint = f'add them to its labels in data.sources, or "{_OTHERS}" for all others; null leaves such rows out'
        raise DataError(f"labels that its map does not name: {missed}", where=source.called, hint=hint)
    if unused := sorted(set(source.labels) - set(counts) - {_OTHERS}):
        rows = replace(rows, warnings=(*rows.warnings, f"{source.called}: no row is labelled {few_of(unused)}"))
    kept = {label: label for label in others} if _OTHERS not in source.labels else {}
    names = dict.fromkeys(others, source.labels.get(_OTHERS)) | kept | source.labels
    found = [(row, name) for row, label in enumerate(rows.labels) if (name := names[label]) is not None]
    if not found:
        raise DataError("its label map leaves no row", where=source.called, hint="map a label to one of the model's")
    return replace(rows.select(row for row, _ in found), labels=[name for _, name in found])


def _weights(source: SourceConfig, rows: Dataset) -> list[float]:
    """The weight of each row before all are scaled to 1 on average."""
    if not source.balance:
        return [source.weight] * len(rows)
    counts = Counter(rows.labels)
    even = len(rows) / max(len(counts), 1)
    return [source.weight * even / counts[label] for label in rows.labels]
