"""What `rnn inspect` found in a trained model, printed."""

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
import numpy.typing as npt
from rich.cells import cell_len

from rnn_cli.cli.layout import NAME_CELLS, cut_to, padded, paragraph, show_table, table, terminal_width, to_json
from rnn_cli.errors import quoted
from rnn_cli.inspection.tokens import Reading, Token
from rnn_cli.text.plain import one_line
from rnn_cli.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from rnn_cli.config.schema import Config
    from rnn_cli.inspection.vectors import Neighbour


PIPE_CELLS = 100
"""The width of lines of tokens where there is no terminal."""

ENDS = {"head": "the beginning is read", "tail": "the end is read", "both": "the beginning and the end are read"}


FEW_TOKENS = 3
"""Tokens of a text whose vectors are shown."""

FEW_NUMBERS = 6
"""Numbers of a vector that are shown."""

Table = npt.NDArray[np.float32]


def readings_as_json(readings: Sequence[Reading], tokenizer: Tokenizer, vectors: Table | None) -> None:
    """One JSON object a text and line; `vectors` has one for each id, or is None for a model without any."""
    for reading in readings:
        found = {
            "text": reading.text,
            "tokens": [
                {"token": each.text, "id": each.id, "known": each.known, "kept": each.kept} for each in reading.tokens
            ],
            "ids": reading.ids,
            "padded": reading.padded,
            "vectors": [
                {
                    "id": id,
                    "one_hot": {"width": tokenizer.vocab_size, "one_at": id},
                    "embedding": None if vectors is None else [float(f"{each:.6g}") for each in vectors[id].tolist()],
                }
                for id in reading.ids[:FEW_TOKENS]
            ],
        }
        click.echo(to_json(found))


def show_readings(
    readings: Sequence[Reading], tokenizer: Tokenizer, vectors: Table | None, *, is_linear: bool = False
) -> None:
    """Each text, its tokens above their ids, what was cut; then all ids, padded; then the first tokens' vectors."""
    terminal = terminal_width()
    width = terminal or PIPE_CELLS
    for number, reading in enumerate(readings, start=1):
        click.echo(click.style(f"text {number}", bold=True) + f"  {whole(reading.text, terminal)}")
        click.echo(textwrap.fill(counted_tokens(reading, tokenizer), width))
        for line in _in_columns(reading.tokens, width):
            click.echo(line)
        click.echo()
    longest = len(readings[0].padded)
    click.secho(f"as one batch, [{len(readings)}, {longest}], padded with 0", bold=True)
    cells = max(len(str(id)) for reading in readings for id in reading.padded)
    for reading in readings:
        line = " ".join(f"{id:>{cells}}" for id in reading.padded)
        click.echo(line if terminal is None else _fitting(line, width))
    for line in _vectors(readings[0], tokenizer, vectors, is_linear=is_linear):
        click.echo(line)


def _vectors(reading: Reading, tokenizer: Tokenizer, vectors: Table | None, *, is_linear: bool) -> Iterator[str]:
    """The first tokens as one-hot and, if there are such, as learned vectors."""
    yield "\n" + click.style("as vectors, the first tokens of text 1", bold=True)
    size = tokenizer.vocab_size
    for id in reading.ids[:FEW_TOKENS]:
        yield f"{cut_to(visible(tokenizer.vocab[id]), NAME_CELLS)}, id {id:,}"
        ones = ["1" if index == id else "0" for index in range(min(size, FEW_NUMBERS))]
        yield _short("one-hot", ones, size, f"({size:,} wide, one 1 at {id:,})")
        if vectors is not None:
            numbers = [f"{value:.3f}" for value in vectors[id, :FEW_NUMBERS].tolist()]
            yield _short("embedding", numbers, vectors.shape[1], f"({vectors.shape[1]:,} numbers)")
    if vectors is None:
        text = "No embedding (model.input: one_hot): the one-hot vector itself enters the first layer."
        if is_linear:
            text = "No embedding: a linear model adds up a weight for each token, and for each two in a row."
        yield paragraph(text, indent="")
    else:
        rows, columns = vectors.shape
        text = f"An embedding is the one-hot times a matrix, here {rows:,} × {columns:,}: one of its rows."
        yield paragraph(text, indent="")


def _short(name: str, first: Sequence[str], size: int, text: str) -> str:
    """The first numbers of a vector of that size, as many as there is room for, and a remark on the whole."""
    shown, room = "", (terminal_width() or PIPE_CELLS) - len(f"  {name:<9}  … {text}")
    for number in first:
        if len(shown) + len(number) + 1 > room:
            return f"  {name:<9}  {shown}… {text}"
        shown += f"{number} "
    return f"  {name:<9}  {shown}{'… ' * (len(first) < size)}{text}"


def show_split(readings: Sequence[Reading], tokenizer: Tokenizer, config: "Config") -> None:
    """What a config alone says of texts: their tokens, and how wide vectors will be; ids and vectors are learned."""
    for number, reading in enumerate(readings, start=1):
        names = (cut_to(visible(each.text), NAME_CELLS) for each in reading.tokens)
        click.echo(click.style(f"text {number}", bold=True) + f"  {whole(reading.text, terminal_width())}")
        click.echo(paragraph(counted_tokens(reading, tokenizer, known=False), indent=""))
        click.echo(paragraph("tokens  " + "  ".join(names), indent="") + "\n")
    wide, dim = config.tokenizer.vocab_size, config.model.embedding_dim
    text = (
        f"Ids go to the most frequent tokens of the training texts, at most {wide:,} (tokenizer.vocab_size): so wide "
    )
    text += "is a one-hot vector. "
    if config.model.input == "embedding":
        text += f"An embedding of {dim:,} numbers is learned for each, the one-hot vector times a matrix."
    else:
        text += "It enters the first layer itself (model.input: one_hot)."
    click.echo(paragraph(text + " Train first to see either.", indent=""))


def _fitting(ids: str, width: int) -> str:
    """A line of ids with … for those that the width does not hold; none is cut in two."""
    return ids if len(ids) <= width else ids[: width - 1].rpartition(" ")[0].rstrip() + " …"


def whole(text: str, terminal: int | None) -> str:
    """A text on one line, cut to what a terminal has room for behind its name."""
    return (one_line(text) if terminal is None else cut_to(text, terminal - len("text 10  "))) or "(empty)"


def counted_tokens(reading: Reading, tokenizer: Tokenizer, *, known: bool = True) -> str:
    """How many tokens a text has, how many of them are unknown, if that is `known`, and how many are cut away."""
    if not reading.tokens:
        return f"no token, so it is read as one unknown token, id {reading.ids[0]}"
    said = f"{len(reading.tokens):,} {tokenizer.level} {'token' if len(reading.tokens) == 1 else 'tokens'}"
    if known and (unknown := sum(not each.known for each in reading.tokens)):
        said += f", {unknown:,} unknown (?)"
    if cut := sum(not each.kept for each in reading.tokens):
        said += f"; {cut:,} cut away (-), since max_length is {tokenizer.max_length:,}: {ENDS[tokenizer.truncate]}"
    return said


def _in_columns(tokens: Sequence[Token], width: int) -> Iterator[str]:
    """Lines of tokens with their ids below them, as many as the width holds."""
    cells = []
    for token in tokens:
        name = cut_to(visible(token.text), NAME_CELLS) + "?" * (not token.known)
        id = str(token.id) if token.kept else "-"
        cells.append((name, id, max(cell_len(name), len(id))))
    start = 0
    while start < len(cells):
        stop, used = start, len("tokens")
        while stop < len(cells) and (stop == start or used + 2 + cells[stop][2] <= width):
            used += 2 + cells[stop][2]
            stop += 1
        line = cells[start:stop]
        yield "tokens" + "".join("  " + padded(name, most, right=True) for name, _, most in line)
        yield "ids   " + "".join("  " + padded(id, most, right=True) for _, id, most in line)
        start = stop


def visible(token: str) -> str:
    """A token on one line; one of white space, as characters may be, is shown as an open box."""
    return one_line(token) or "␣"


def neighbours_as_json(token: str, id: int, found: Sequence["Neighbour"]) -> None:
    """One JSON object."""
    near = [{"token": each.token, "id": each.id, "similarity": round(each.similarity, 6)} for each in found]
    click.echo(to_json({"token": token, "id": id, "neighbours": near}))


def show_neighbours(token: str, id: int, found: Sequence["Neighbour"]) -> None:
    """A table, nearest first. Ids go by frequency, the smallest to the most frequent token."""
    click.echo(f"nearest to {cut_to(visible(token), NAME_CELLS)} (id {id:,})\n")
    rows = [(visible(each.token), f"{each.similarity:.3f}", f"{each.id:,}") for each in found]
    show_table(table(("token", "similarity", "id"), rows))


def show_projector(out: Path, tokens: int, dim: int) -> None:
    """What was written, and how to open it."""
    click.echo(f"{one_line(str(out))}: {tokens:,} vectors of {dim:,} numbers, and their tokens")
    click.echo("\nOpen with TensorBoard (pip install tensorboard), on its page Projector:")
    click.echo(f"    tensorboard --logdir {quoted(out)}")
    click.echo("or without installing anything:")
    click.echo(
        paragraph("https://projector.tensorflow.org, Load: tensors.tsv, then metadata.tsv (your browser reads them)")
    )
