"""`rnn inspect`."""

from pathlib import Path

import click

from rnn_cli.cli.common import check_full
from rnn_cli.cli.predict import refuse_undecodable
from rnn_cli.text.plain import one_line

MODEL = click.option("--model", metavar="DIR", help="The trained model  [default: $RNN_MODEL, else the newest run]")


@click.group()
def inspect() -> None:
    """Look inside: tokens, word vectors, gradients."""


@inspect.command(
    epilog="""\b
Examples:
  rnn inspect tokens "A warm, funny film." "Dull."
  rnn inspect tokens --json "A warm, funny film." | head -1
"""
)
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@MODEL
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a text instead.")
def tokens(texts: tuple[str, ...], model: str | None, as_json: bool) -> None:
    """Show how a text becomes numbers.

    Told are each TEXT's tokens, their ids, what is cut away, and all the texts padded to the longest, as in a batch.
    ? marks a token that the model does not know, and a dash stands for the id of one that is not read.
    """
    for index, text in enumerate(texts, start=1):
        refuse_undecodable(text, f"text {index}")

    from rnn_cli.bundle.model_folder import Bundle, locate
    from rnn_cli.cli.show_inspect import readings_as_json, show_readings
    from rnn_cli.inspection.tokens import read_texts
    from rnn_cli.scoring.parts import read_tokenizer

    tokenizer = read_tokenizer(Bundle.open(locate(model)))
    readings = read_texts(tokenizer, texts)
    if as_json:
        readings_as_json(readings)
    else:
        show_readings(readings, tokenizer)


@inspect.command(
    epilog="""\b
Examples:
  rnn inspect neighbours dull
  rnn inspect neighbours warm --count 5 --model runs/quick-1
"""
)
@click.argument("word")
@MODEL
@click.option(
    "-n", "--count", type=click.IntRange(min=1), default=10, show_default=True, help="How many tokens to show."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def neighbours(word: str, model: str | None, count: int, as_json: bool) -> None:
    """Show which tokens the network treats like WORD.

    These are the tokens whose learned vectors point most nearly the same way as WORD's, nearest first. The
    similarity is the cosine of the angle between two vectors: 1 for the same direction, 0 for none in common,
    -1 for opposite ones. Vectors learned from labels alone tell what a word says about the label, not what it
    means.
    """
    refuse_undecodable(word, "WORD")

    from rnn_cli.bundle.model_folder import Bundle, locate
    from rnn_cli.cli.show_inspect import neighbours_as_json, show_neighbours
    from rnn_cli.inspection.vectors import find, nearest, read_vectors

    vectors = read_vectors(Bundle.open(locate(model)))
    id = find(vectors.tokenizer, word)
    show = neighbours_as_json if as_json else show_neighbours
    show(vectors.tokenizer.vocab[id], id, nearest(vectors, id, count))


@inspect.command(
    epilog="""\b
Examples:
  rnn inspect embedding --out projector
  rnn inspect embedding --model runs/quick-1 --out projector --force
"""
)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="The folder to write.")
@MODEL
@click.option("--force", is_flag=True, help="Replace the files that an earlier call wrote to --out.")
def embedding(out: Path, model: str | None, force: bool) -> None:
    """Write the token vectors for the Embedding Projector.

    It shows them as a cloud of points, in TensorBoard or in the browser. The folder holds tensors.tsv (a vector
    a line), metadata.tsv (its token) and projector_config.pbtxt. Padding is left out: line N is the token of id
    N. Tabs, line ends and backslashes of a token are written \\t, \\n, \\\\.
    """
    from rnn_cli.bundle.model_folder import Bundle, locate
    from rnn_cli.cli.show_inspect import show_projector
    from rnn_cli.inspection.vectors import check_target, read_vectors, write

    check_target(out, force=force)
    vectors = read_vectors(Bundle.open(locate(model)))
    show_projector(out, write(vectors, out, force=force), vectors.table.shape[1])


@inspect.command(
    epilog="""\b
Examples:
  rnn inspect gradients
  rnn inspect gradients --set data.source=reviews.csv --out gradients.png
  rnn inspect gradients --steps 0 --scale 2      exploding gradients
"""
)
@click.argument("config", required=False, metavar="[CONFIG]")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key; may be repeated.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE.png", help="Draw the curves as a chart too.")
@click.option(
    "--texts", type=click.IntRange(1, 4096), default=64, show_default=True, help="Training texts to measure on."
)
@click.option(
    "--tokens",
    type=click.IntRange(2, 10_000),
    default=120,
    show_default=True,
    help="Tokens of a text that are read, at most.",
)
@click.option(
    "--steps",
    type=click.IntRange(0, 100_000),
    default=40,
    show_default=True,
    help="Training steps (64 texts each) before the second measurement; 0 for none.",
)
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True, max=100),
    default=1.0,
    show_default=True,
    help="Multiply the first recurrent weights.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def gradients(
    config: str | None,
    overrides: tuple[str, ...],
    out: Path | None,
    texts: int,
    tokens: int,
    steps: int,
    scale: float,
    as_json: bool,
) -> None:
    """Show vanishing and exploding gradients.

    They tell how far back along your own texts each kind of cell can learn. CONFIG is a YAML file or a recipe's
    name; without it, the recipe `default`. Its data, tokenizer, embedding_dim and first number of units are
    used. For each cell (rnn, gru, lstm) one layer reads training texts forwards and answers from its last
    state; shown is the gradient of the loss at each token's vector, by the token's distance from the end of the
    text: the geometric mean of its norm, relative to the last token's. Measured on new weights, and again after
    a short training (Adam, learning rate 0.002, gradients clipped to 1), which is not kept.

    New weights are not yet the lesson: the plain cell begins with recurrent weights that keep lengths, and gates begin
    half closed. Training opens the gates of lstm and gru where memory pays; the plain cell has none to open. Each is
    one short training, so look at another training.seed too.
    """
    check_full()

    from rnn_cli.config.load import load_config

    settings = load_config(config, overrides)
    if out is not None:
        from rnn_cli.inspection.picture import check_target, save

        check_target(out)

    from rnn_cli.cli.show_progress import listening
    from rnn_cli.inspection.decay import shortened
    from rnn_cli.training.prepare import prepare

    with listening() as listener:
        prepared = prepare(shortened(settings, tokens), listener)
        listener.note("loading TensorFlow")
        from rnn_cli.training import quiet  # noqa: F401, I001  (before all that loads TensorFlow)
        from rnn_cli.inspection.gradients import measure

        lesson = measure(prepared, texts=texts, steps=steps, scale=scale, listener=listener)
    if out is not None:
        save(lesson, out)

    from rnn_cli.cli.show_gradients import show_lesson

    if as_json:
        from rnn_cli.cli.layout import to_json

        click.echo(to_json(lesson.to_dict()))
    else:
        show_lesson(lesson)
        if out is not None:
            click.echo(f"\nChart  {one_line(str(out))}")
