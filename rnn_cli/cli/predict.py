"""`rnn predict`."""

import os
import sys
from collections.abc import Iterator, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from rnn_cli.cli.options import coverage_option, labels_option, model_option
from rnn_cli.cli.score import score, score_files
from rnn_cli.errors import DataError, UsageError, few_of, quoted
from rnn_cli.formats import DATA_FILE
from rnn_cli.progress import Notes
from rnn_cli.text.lines import read_windows
from rnn_cli.text.plain import one_line

if TYPE_CHECKING:
    from rnn_cli.scoring.predictor import Precision

STYLES = ("human", "jsonl", "csv", "tsv", "plain")
EXPLAINED = ("human", "jsonl")

EXPLAINED_AT_ONCE = 16
"""Texts whose explanations are made before they are shown."""


@click.command(
    epilog="""\b
Examples:
  rnn predict "A warm, funny film." "Two hours I will never get back."
  rnn predict --proba --format jsonl "It was fine, I suppose."
  rnn predict --explain "Slow to start, but what an ending."
  cat sentences.txt | rnn predict --format csv > predictions.csv
"""
)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@model_option
@labels_option
@click.option(
    "--format",
    "style",
    type=click.Choice((*STYLES, "parquet")),
    metavar="NAME",
    help="human, jsonl, csv, tsv or plain (label, tab, probability)  [default: human on a terminal, else plain; with "
    "--explain jsonl]",
)
@click.option("--explain", is_flag=True, help="Show which words speak for and against it.")
@click.option("--proba", is_flag=True, help="Add the probability of every label.")
@click.option(
    "--column", "columns", multiple=True, metavar="NAME=VALUE", help="Of a model that reads it; once for each column."
)
@coverage_option
@click.option(
    "--precision",
    type=click.Choice(("fp32", "int8")),
    default="fp32",
    metavar="NAME",
    help="fp32 (default), or int8: faster, nearly the same.",
)
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Cores to use  [default: all]")
@click.option("--server", metavar="URL", help="Ask an rnn serve; --model NAME is then one of its models.")
def predict(
    texts: tuple[str, ...],
    model: str | None,
    labels: list[str] | None,
    style: str | None,
    explain: bool,
    proba: bool,
    columns: tuple[str, ...],
    coverage: float | None,
    precision: "Precision",
    threads: int | None,
    server: str | None,
    inputs: tuple[str, ...],
    **of_files: Any,
) -> None:
    """Predict the label of each TEXT, and how probable it is.

    Without TEXT, or with -, each line of the standard input is a text. Each gets one prediction, in order; a text
    without a single known word is marked. A model that may abstain says "unsure" where it is; the probability is then
    that of the nearest label. rnn score predicts for files of rows.

    --explain leaves out each word in turn. Its weight is how much the log-odds of the prediction fall without it: above
    0 (green) it speaks for the label, below 0 (red) against it. More: docs/guide.md.
    """
    if inputs:
        _refuse_beside_files()
        Notes().warn("rnn predict --input is now called rnn score: rnn score FILE --output OUT")
        options = {
            "model": model,
            "labels": labels,
            "proba": proba,
            "coverage": coverage,
            "precision": precision,
            "threads": threads,
            **of_files,
        }
        score_files((*inputs, *texts), style=style, **options)
        return
    _refuse_file_options(style)
    style = style or ("human" if sys.stdout.isatty() else "jsonl" if explain else "plain")
    if explain and style not in EXPLAINED:
        raise UsageError(f"--format {style} has no place for an explanation", hint="use --format jsonl")
    if not texts and sys.stdin.isatty():
        raise UsageError("no text", hint='give one, as in rnn predict "some sentence", or pipe lines in')
    for index, text in enumerate(texts, start=1):
        refuse_undecodable(text, f"text {index}")
        if _is_file(text):
            rows, lines = (
                f"rnn score {quoted(Path(text))} scores its rows",
                f"rnn predict < {quoted(text)} reads its lines",
            )
            hint = rows if DATA_FILE.search(text.lower()) else lines
            Notes().warn(f"{one_line(text)} is taken as a text; {hint}")

    given = _values_of(columns)
    if server is not None:
        _refuse_beside_server()
        _predict_there(server, model, texts, style, given, explain=explain, proba=proba, coverage=coverage)
        return

    from rnn_cli.api import open_model
    from rnn_cli.cli.show_predictions import Writer
    from rnn_cli.scoring.predictor import MOST_PARTS
    from rnn_cli.scoring.unknown import UnknownTokens, warning_of

    predictor = open_model(model, Notes().note, labels=labels, threads=threads, precision=precision)
    _refuse_proba_of_numbers(proba, is_number=predictor.number)
    predictor.check_coverage(coverage)  # before the first text is read
    _check_columns(given, predictor.columns)
    abstains, several = predictor.decision.unsure_below > 0, predictor.several
    writer = Writer(
        style,
        predictor.labels,
        proba=proba,
        abstains=abstains,
        several=several,
        ordered=predictor.ordered,
        number=predictor.number,
        covers=coverage is not None,
    )
    unknown, tokens = 0, UnknownTokens()
    windows = read_windows(sys.stdin.buffer) if texts in ((), ("-",)) else iter([list(texts)])
    for window in _of_at_most(EXPLAINED_AT_ONCE, windows) if explain else windows:
        values = {name: [value] * len(window) for name, value in given.items()}
        scores = predictor.score(window, values)
        predictions = predictor.predictions(scores, coverage)
        if explain:
            from rnn_cli.scoring.explain import explain_columns
            from rnn_cli.scoring.explain import explain_texts as parts_of

            parts = parts_of(predictor, window, most_parts=MOST_PARTS, columns=values)
            writer.write_explained(window, predictions, parts, explain_columns(predictor, window, values))
        else:
            writer.write(window, predictions)
        unknown += sum(prediction.no_known_words for prediction in predictions)
        tokens += scores.tokens
    _warn(unknown if style == "plain" else 0, warning_of(tokens, predictor.usual_unknown))


def _refuse_proba_of_numbers(proba: bool, *, is_number: bool) -> None:
    """Raise UsageError for what only labels have."""
    if proba and is_number:
        raise UsageError("--proba is of labels, and the model predicts numbers", hint="use --coverage 0.9 for ranges")


def _values_of(columns: tuple[str, ...]) -> dict[str, str]:
    """The values of other columns by name. Raises UsageError."""
    found: dict[str, str] = {}
    for each in columns:
        name, sign, value = each.partition("=")
        if not (sign and name):
            raise UsageError(
                f"expected NAME=VALUE, got {each[:40]!r}", where="--column", hint="as in --column price=10"
            )
        if name in found:
            raise UsageError(f"{name} is given twice", where="--column", hint="give each column once")
        refuse_undecodable(each, "--column")
        found[name] = value
    return found


def _check_columns(given: dict[str, str], names: Sequence[str]) -> None:
    """Raise UsageError for a column that the model does not read, and say which of its own count as missing."""
    if unknown := next((name for name in given if name not in names), None):
        hint = f"it reads {few_of(names)}" if names else "it reads the text alone"
        raise UsageError(f"the model reads no column {unknown!r}", where="--column", hint=hint)
    if absent := [name for name in names if name not in given]:
        say = f"--column {absent[0]}=VALUE"
        Notes().note(f"no value of {few_of(absent)} is given, so it counts as missing: {say}")


def _refuse_beside_files() -> None:
    """Raise UsageError for what only texts can have."""
    given = click.get_current_context().params
    if given["columns"]:
        raise UsageError("--column is for texts; of files, columns are read by their names", hint="leave it out")
    if given["explain"]:
        raise UsageError("--explain is for texts, not for files", hint="pipe the texts in, a line each")


def _refuse_beside_server() -> None:
    """Raise UsageError for what the server has decided, or does not answer."""
    context = click.get_current_context()
    for name in ("labels", "precision", "threads"):
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise UsageError(f"--{name} and --server do not go together", hint=f"give it to rnn serve: --{name}")


def _predict_there(
    server: str,
    model: str | None,
    texts: tuple[str, ...],
    style: str,
    given: dict[str, str],
    *,
    explain: bool,
    proba: bool,
    coverage: float | None,
) -> None:
    from rnn_cli.cli.show_predictions import Writer
    from rnn_cli.client import Client
    from rnn_cli.scoring.unknown import warning_of

    unknown = 0
    with Client(server, model=model) as client:
        _check_columns(given, client.columns)
        abstains = client.about["decision"]["unsure_below"] > 0
        _refuse_proba_of_numbers(proba, is_number=client.number)
        writer = Writer(
            style,
            client.labels,
            proba=proba,
            abstains=abstains,
            several=client.several,
            ordered=client.ordered,
            number=client.number,
            covers=coverage is not None,
        )
        windows = read_windows(sys.stdin.buffer) if texts in ((), ("-",)) else iter([list(texts)])
        for window in _of_at_most(EXPLAINED_AT_ONCE, windows) if explain else windows:
            values = {name: [value] * len(window) for name, value in given.items()} if client.columns else None
            predictions = client.predict(window, coverage, columns=values)
            if explain:
                parts, beside = client.explain_rows(window, values)
                writer.write_explained(window, predictions, parts, beside)
            else:
                writer.write(window, predictions)
            unknown += sum(prediction.no_known_words for prediction in predictions)
        unlike = warning_of(client.tokens, client.usual_unknown)
    _warn(unknown if style == "plain" else 0, unlike)


def _warn(unknown: int, unlike: str | None) -> None:
    """Warn of texts without a known word, which other styles than plain mark, and of texts unlike those of training."""
    if unlike:
        Notes().warn(unlike)
    if unknown:
        texts_hold = "text holds" if unknown == 1 else "texts hold"
        Notes().warn(f"{unknown:,} {texts_hold} no word the model knows; --format csv marks them")


def _add_file_options() -> None:
    """Take the options of `rnn score`, which was `rnn predict --input` once, but do not show them."""
    known = {param.name for param in predict.params}
    for option in (*score.params, click.Option(["--input", "inputs"], multiple=True)):
        if isinstance(option, click.Option) and option.name not in known:
            option = copy(option)
            option.hidden = True
            predict.params.append(option)


_add_file_options()


def _refuse_file_options(style: str | None) -> None:
    """Raise UsageError for options that only files can have."""
    context = click.get_current_context()
    for param in context.command.params:
        if isinstance(param, click.Option) and param.hidden:
            if context.get_parameter_source(param.name or "") is not ParameterSource.DEFAULT:
                raise UsageError(f"{param.opts[0]} is for files of rows", hint="use rnn score FILE")
    if style == "parquet":
        raise UsageError("--format parquet is for files of rows", hint="use rnn score FILE")


def _of_at_most(size: int, windows: Iterator[list[str]]) -> Iterator[list[str]]:
    """The same texts, fewer at a time."""
    return (window[start : start + size] for window in windows for start in range(0, len(window), size))


def _is_file(text: str) -> bool:
    try:
        return os.path.isfile(text)
    except ValueError:  # a NUL character
        return False


def refuse_undecodable(text: str, where: str) -> None:
    """Raise `DataError` for a word of the command line that was no UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise DataError("is not UTF-8", where=where, hint="check the terminal's encoding") from None
