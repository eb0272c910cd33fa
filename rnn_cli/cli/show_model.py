"""What `rnn inspect model` tells of a trained model, printed."""

import textwrap
from collections.abc import Iterator

import click

from rnn_cli.bundle.locate import shown_model
from rnn_cli.bundle.model_folder import FURTHER, Manifest
from rnn_cli.cli.layout import cut_to, table, terminal_width
from rnn_cli.data.reading.remote import shown_source
from rnn_cli.evaluation import wording_several as of_several
from rnn_cli.evaluation.numbers import NumberMetrics
from rnn_cli.evaluation.several import SeveralMetrics
from rnn_cli.evaluation.wording import EVERY, bounds, decision_in_words, metrics_shown, scaling_in_words, value
from rnn_cli.evaluation.wording_numbers import numbers_table
from rnn_cli.inspection.model import Overview
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.of_each import DecisionOfEach
from rnn_cli.scoring.ordered import DecisionOfOrdered
from rnn_cli.scoring.prediction import shown_number
from rnn_cli.text.plain import one_line

_NAME_CELLS = 13
"""The width of what a fact is called."""

MOST_CHANGED = 6
"""Keys that differ from a recipe, up to which each is named."""

_MOST_LABELS = 12

READ = {"head": "the first", "tail": "the last", "both": "the first and last, together"}


def show_model(model: Overview) -> None:
    """Layers and files as tables, then the facts a line each, then how good it is."""
    network, manifest = model.graph.architecture, model.manifest
    click.echo(f"Model  {one_line(shown_model(model.path, from_here=True))}\n")
    shapes = (f"[{each.along}, {each.width}]" if each.along else f"[{each.width}]" for each in model.layers)
    layers = [
        (each.name, each.what, shape, f"{each.weights:,}" if each.weights else "")
        for each, shape in zip(model.layers, shapes, strict=True)
    ]
    _show(
        table(("layer", "what", "output", "parameters"), [*layers, ("total", "", "", f"{network.weights:,}")], names=2)
    )
    click.echo()
    _show(table(("file", "bytes"), [(name, f"{size:,}") for name, size in sorted(model.files.items())]))
    click.echo()
    for name, fact in _facts(model):
        click.echo(_fact(name, fact))
    if model.test is None:
        return
    click.echo()
    if isinstance(model.test, NumberMetrics):
        head, rows_of_numbers = numbers_table(f"test, {model.test.rows:,} rows", {"": model.test})
        _show(table(head, rows_of_numbers[1:]))
        return
    if isinstance(model.test, SeveralMetrics):
        head, rows_of_several = of_several.several_table(f"test, {model.test.rows:,} rows", {"": model.test})
        _show(table(head, rows_of_several[1:]))
        return
    rows = [
        (called, value(model.test, field, written), bounds(model.test, field, written))
        for field, (called, written) in metrics_shown(model.test).items()
    ]
    _show(table((f"test, {model.test.rows:,} rows", "", EVERY), rows))
    if manifest.unsure_below:
        click.echo("They cover all rows, including those it is unsure of.")


def _facts(model: Overview) -> Iterator[tuple[str, str]]:
    manifest, tokenizer, network = model.manifest, model.tokenizer, model.graph.architecture
    named = [cut_to(label, 28) for label in manifest.labels[:_MOST_LABELS]]
    more = len(manifest.labels) - _MOST_LABELS
    several = (
        ", of which a text may have several" if manifest.several else ", in this order" if manifest.ordered else ""
    )
    if manifest.number:
        spread = shown_number(manifest.scale, manifest.scale)
        yield "labels", f"numbers, of mean {shown_number(manifest.center, manifest.scale)}, standard deviation {spread}"
    else:
        yield (
            "labels",
            f"{len(manifest.labels)}{several}: {', '.join(named)}" + (f" and {more:,} more" if more > 0 else ""),
        )
    yield "vocabulary", f"{tokenizer.vocab_size:,} ids, {tokenizer.level} level, {_cleaning(model)}"
    yield (
        "max_length",
        f"{tokenizer.max_length:,}: of a longer text {READ[tokenizer.truncate]} {tokenizer.max_length:,}",
    )
    yield from _decided(manifest)
    if manifest.scales:
        words = scaling_in_words(named, manifest.scales[: len(named)], manifest.biases[: len(named)])
        yield "scaling", words + (f" and {more:,} more" if more > 0 else "")
    if network.ngrams:
        buckets = f"; {network.buckets:,} weights a label for the longer ones" if network.ngrams > 1 else ""
        yield (
            "n-grams",
            f"runs of up to {network.ngrams}{buckets}" + ("" if network.is_linear else "; averaged with the network"),
        )
    else:
        yield "n-grams", "none"
    for each in model.columns:
        yield "column", each.in_words()
    rows = manifest.data["rows"]
    yield "source", shown_source(model.config.data)
    yield "rows", ", ".join(f"{rows[side]:,} {side}" for side in ("train", "validation", "test"))
    yield "fingerprint", manifest.data["fingerprint"]
    if FURTHER in manifest.data:
        yield "began as", str(manifest.data[FURTHER].get("model", "another model"))
    changed = model.settings.changed
    differs = f"{len(changed)} keys differ" if len(changed) > MOST_CHANGED else _listed(model)
    recipe = model.settings.recipe if model.settings.is_noted else f"nearest is {model.settings.recipe}"
    yield "recipe", recipe + (f", with {differs}" if changed else ", unchanged")
    base = model.config.model.base
    epochs, seed = model.epochs, f"seed {model.config.training.seed}, split seed {model.config.data.split_seed}"
    if model.graph.architecture.is_linear:
        yield "training", f"a linear model, fitted at once; {seed}"
    elif epochs is None or base is not None:
        yield "training", f"last layers fitted to what {base} computes; {seed}" if base else seed
    else:
        yield "training", f"{epochs.trained} of at most {epochs.most} epochs, weights of epoch {epochs.kept}; {seed}"
    yield "written", f"{model.written:%Y-%m-%d %H:%M}" + ("" if model.is_dated else " (its manifest's file date)")
    yield "versions", ", ".join(f"{name} {version}" for name, version in manifest.versions.items())


def _decided(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """How labels are decided on, and the temperature; a number is neither decided on nor calibrated."""
    if manifest.number:
        return
    if manifest.several:
        of_each = DecisionOfEach(thresholds=manifest.thresholds, most=manifest.most)
        words = of_several.several_decision_in_words(of_each, manifest.labels)
    elif manifest.ordered:
        of_ordered = DecisionOfOrdered(unsure_below=manifest.unsure_below, choice=manifest.choice)
        words = decision_in_words(of_ordered, manifest.labels)
    else:
        words = decision_in_words(Decision(manifest.threshold, manifest.unsure_below), manifest.labels)
    yield "decision", words
    yield "temperature", f"{manifest.temperature:.4g}"


def _cleaning(model: Overview) -> str:
    tokenizer = model.tokenizer
    case = "lower-cased" if tokenizer.lowercase else "case kept"
    marks = "marks are tokens" if tokenizer.punctuation == "keep" else ""
    dropped = "".join(each for each in tokenizer.filters if not each.isspace())
    filters = f"read as spaces: {dropped}" if dropped else "no filters"
    return ", ".join(part for part in (case, marks, filters) if part)


def _listed(model: Overview) -> str:
    return ", ".join(
        f"{key}={'null' if value is None else str(value).lower() if isinstance(value, bool) else value}"
        for key, value in model.settings.changed.items()
    )


def _fact(name: str, fact: str) -> str:
    """A line, or a few, wrapped beside the name."""
    width = terminal_width()
    head = f"{name:<{_NAME_CELLS}}"
    lines = textwrap.wrap(one_line(fact), width - _NAME_CELLS, break_on_hyphens=False) if width else [one_line(fact)]
    return f"\n{' ' * _NAME_CELLS}".join([head + lines[0], *lines[1:]])


def _show(lines: list[str]) -> None:
    click.secho(lines[0], bold=True)
    for line in lines[1:]:
        click.echo(line)
