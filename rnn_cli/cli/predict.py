"""`rnn predict`."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from rnn_cli.cli.score import FileOptions, file_options, refuse_without_input, score_files
from rnn_cli.errors import DataError, UsageError, quoted
from rnn_cli.formats import DATA_FILE
from rnn_cli.text.lines import read_windows
from rnn_cli.text.plain import one_line

FORMATS = ("human", "jsonl", "csv", "tsv", "plain", "parquet")
EXPLAINED = ("human", "jsonl")

EXPLAINED_AT_ONCE = 16
"""Texts whose explanations are made before they are shown."""


@click.command(
    epilog="""\b
Examples:
  rnn predict "A warm, funny film." "Two hours I will never get back."
  rnn predict --proba --format jsonl "It was fine, I suppose."
  cat sentences.txt | rnn predict --format csv > answers.csv
  rnn predict --explain "Slow to start, but what an ending."
  cat sentences.txt | rnn predict --explain --format jsonl > explained.jsonl
  rnn predict --input texts.csv --output answers.csv
  rnn predict --input 'logs/*.jsonl.gz' --output answers.parquet
"""
)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--model", metavar="DIR", help="The trained model  [default: $RNN_MODEL, else the newest run]")
@click.option(
    "--format",
    "style",
    type=click.Choice(FORMATS),
    help="How answers are printed  [default: human on a terminal, else plain: label, tab, probability; "
    "with --explain jsonl; of --input its own]",
)
@click.option("--explain", is_flag=True, help="Tell which words speak for and against the answer (human, jsonl).")
@file_options
def predict(texts: tuple[str, ...], model: str | None, style: str | None, explain: bool, **options: Any) -> None:
    """Answer the label of each TEXT and how probable it is.

    Without TEXT, or with `-`, each line of the standard input is a text, a header too. There is one answer for
    each text, in order, whatever the text; one without a single word the model knows is marked so (plain: counted).
    A model that was made to abstain answers "unsure" where it is; the probability is that of the nearest label
    (which csv, tsv and jsonl keep, with `unsure` true). With a threshold of its own (decision.goal) an answer may be
    less than 50% probable.

    With --explain each word is left out in turn. Its weight is by how much the log-odds of the answer fall without it:
    above 0 (green) it speaks for the answer, below 0 (red) against it; the strongest words are bold and underlined,
    and what changes next to nothing or is not read stays as it is. At a probability of 50%, a weight of 1 is worth 23
    points. Of a text of more than 500 words, neighbours are left out together.

    With --input the rows of files are scored: every column of every row is kept, in order, and label, probability and
    no_known_words are added (unsure, if the model may be; p(LABEL) of every label with --proba). The output appears
    when it is whole; --resume goes on with a job that was stopped, and each row is there once.
    """
    if options["inputs"]:
        if explain:
            raise UsageError("--explain is for texts, not for --input", hint="pipe the texts in, a line each")
        score_files(FileOptions(**options), texts, model, style)
        return
    _predict_texts(texts, model, style, explain, FileOptions(**options))


def _predict_texts(
    texts: tuple[str, ...], model: str | None, style: str | None, explain: bool, options: FileOptions
) -> None:
    refuse_without_input(options, style)
    style = style or ("human" if sys.stdout.isatty() else "jsonl" if explain else "plain")
    if explain and style not in EXPLAINED:
        raise UsageError(f"--format {style} has no place for an explanation", hint="use --format jsonl")
    if not texts and sys.stdin.isatty():
        raise UsageError("no text", hint='give one, as in rnn predict "some sentence", or pipe lines in')
    for index, text in enumerate(texts, start=1):
        refuse_undecodable(text, f"text {index}")
        if _is_file(text):
            rows = f"--input {quoted(Path(text))} scores its rows"
            meant = rows if DATA_FILE.search(text.lower()) else f"< {quoted(text)} scores its lines"
            click.echo(f"Warning: {one_line(text)} is scored as a text; rnn predict {meant}", err=True)

    from rnn_cli.bundle.model_folder import locate
    from rnn_cli.cli.show_predictions import Writer
    from rnn_cli.scoring.predictor import MOST_PARTS, Predictor

    predictor = Predictor.open(locate(model), threads=options.threads, precision=options.precision)
    writer = Writer(style, predictor.labels, proba=options.proba, abstains=predictor.decision.unsure_below > 0)
    unknown = 0
    windows = read_windows(sys.stdin.buffer) if texts in ((), ("-",)) else iter([list(texts)])
    for window in _of_at_most(EXPLAINED_AT_ONCE, windows) if explain else windows:
        predictions = predictor.predict(window)
        if explain:
            from rnn_cli.scoring.explain import explain_texts as parts_of

            writer.write_explained(window, predictions, parts_of(predictor, window, most_parts=MOST_PARTS))
        else:
            writer.write(window, predictions)
        unknown += sum(prediction.no_known_words for prediction in predictions)
    if unknown and style == "plain":  # the others mark each of them
        texts_hold = "text holds" if unknown == 1 else "texts hold"
        click.echo(f"Warning: {unknown:,} {texts_hold} no word the model knows; --format csv marks them", err=True)


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
