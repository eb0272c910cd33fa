"""`rnn inspect`."""

from pathlib import Path

import click

from rnn_cli.cli.common import check_full, trained_folder
from rnn_cli.cli.options import model_option, set_option
from rnn_cli.cli.predict import refuse_undecodable
from rnn_cli.errors import UsageError
from rnn_cli.text.plain import one_line

PICTURE = click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Also draw a chart: FILE.png or FILE.svg."
)
FORCE = click.option("--force", is_flag=True, help="Replace an earlier --out.")


@click.group()
def inspect() -> None:
    """Look inside: tokens, a reading, vectors, behaviour."""


@inspect.command(
    epilog="""\b
Examples:
  rnn inspect model
  rnn inspect model --model runs/quick-1
  rnn inspect model --json > model.json
"""
)
@model_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def model(model: str | None, as_json: bool) -> None:
    """Show what a trained model is and where it comes from.

    Its layers (the output for a token or a text, and parameters), files, labels and vocabulary; how it decides; what
    it was trained on, and its metrics on the test rows.
    """
    from rnn_cli.bundle.model_folder import Bundle
    from rnn_cli.inspection.model import look

    found = look(Bundle.open(trained_folder(model)))
    if as_json:
        from rnn_cli.cli.layout import to_json

        click.echo(to_json(found.to_dict(), indent=2))
    else:
        from rnn_cli.cli.show_model import show_model

        show_model(found)


@inspect.command(
    epilog="""\b
Examples:
  rnn inspect tokens "A warm, funny film." "Dull."
  rnn inspect tokens --json "A warm, funny film." | head -1
  rnn inspect tokens --config char "A film."      without a model
"""
)
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@model_option
@click.option("--config", metavar="CONFIG", help="A YAML file or recipe instead of a model.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each text.")
def tokens(texts: tuple[str, ...], model: str | None, config: str | None, as_json: bool) -> None:
    """Show how a text becomes numbers.

    For each TEXT: its tokens, their ids, what is cut away; then all texts padded to the longest, as in a batch. A ?
    marks a token that the model does not know, a dash one that is not read. Last, the first tokens as one-hot vectors
    and as the model's learned ones (embedding).

    With --config no model is needed: it shows the tokens, and how wide vectors will be. Ids and vectors are learned.
    """
    for index, text in enumerate(texts, start=1):
        refuse_undecodable(text, f"text {index}")
    if config is not None:
        _split_alone(texts, config, model, as_json)
        return

    from rnn_cli.bundle.model_folder import Bundle
    from rnn_cli.cli.show_inspect import readings_as_json, show_readings
    from rnn_cli.inspection.tokens import read_texts
    from rnn_cli.inspection.vectors import read_graph_of
    from rnn_cli.scoring.parts import read_tokenizer

    opened = Bundle.open(trained_folder(model))
    tokenizer = read_tokenizer(opened)
    readings, graph = read_texts(tokenizer, texts), read_graph_of(opened, tokenizer)
    if as_json:
        readings_as_json(readings, tokenizer, graph.vectors)
    else:
        show_readings(readings, tokenizer, graph.vectors, is_linear=graph.architecture.is_linear)


def _split_alone(texts: tuple[str, ...], source: str, model: str | None, as_json: bool) -> None:
    """Show the texts' tokens as a config splits them."""
    if model is not None or as_json:
        option = "--json" if model is None else "--model"
        raise UsageError(f"--config takes no {option}, for ids and vectors are a model's", hint="leave one out")

    from rnn_cli.cli.show_inspect import show_split
    from rnn_cli.config.load import load_config
    from rnn_cli.inspection.tokens import read_texts, untrained_tokenizer

    config = load_config(source)
    tokenizer = untrained_tokenizer(config.tokenizer)
    show_split(read_texts(tokenizer, texts), tokenizer, config)


@inspect.command(
    epilog="""\b
Examples:
  rnn inspect reading "Slow to start, but what an ending."
  rnn inspect reading "Slow to start, but what an ending." --out reading.png
  rnn inspect reading --json "Slow, but good." | jq .tokens
"""
)
@click.argument("text")
@model_option
@PICTURE
@FORCE
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def reading(text: str, model: str | None, out: Path | None, force: bool, as_json: bool) -> None:
    """Show how the prediction grows as TEXT is read, token by token.

    Each probability is for the text up to there, scored by the whole model. Below are the states of the recurrent
    layers, each direction apart, for the units that move most. They come from one reading of the whole text: at a token
    the forward direction has read all before it, the backward direction all after it. A state is not a probability.

    It follows the positive one of two labels; of more labels the one predicted in the end.
    """
    refuse_undecodable(text, "TEXT")
    _check_picture(out, force)

    from rnn_cli.bundle.model_folder import Bundle
    from rnn_cli.inspection.reading import read_growing
    from rnn_cli.scoring.parts import read_tokenizer

    opened = Bundle.open(trained_folder(model))
    growth = read_growing(opened, text)
    if out is not None:
        from rnn_cli.inspection.picture import save_picture

        save_picture(growth, out, force=force)

    from rnn_cli.cli.show_reading import growth_as_json, show_growth

    if as_json:
        growth_as_json(growth)
    else:
        show_growth(growth, read_tokenizer(opened))
        if out is not None:
            click.echo(f"\nChart  {one_line(str(out))}")


@inspect.command(
    epilog="""\b
Examples:
  rnn inspect neighbours dull
  rnn inspect neighbours warm --count 5 --model runs/quick-1
"""
)
@click.argument("word")
@model_option
@click.option(
    "-n", "--count", type=click.IntRange(min=1), default=10, metavar="N", help="How many tokens to show  [default: 10]"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def neighbours(word: str, model: str | None, count: int, as_json: bool) -> None:
    """Show which tokens the network treats like WORD.

    These are the tokens whose learned vectors point most nearly the same way as WORD's, nearest first. The similarity
    is the cosine of the angle between two vectors: 1 for the same direction, 0 for none in common, -1 for opposite
    ones. Vectors learned from labels alone show what a word says about the label, not what it means.
    """
    refuse_undecodable(word, "WORD")

    from rnn_cli.bundle.model_folder import Bundle
    from rnn_cli.cli.show_inspect import neighbours_as_json, show_neighbours
    from rnn_cli.inspection.vectors import find_token, nearest_tokens, read_vectors

    vectors = read_vectors(Bundle.open(trained_folder(model)))
    id = find_token(vectors.tokenizer, word)
    show = neighbours_as_json if as_json else show_neighbours
    show(vectors.tokenizer.vocab[id], id, nearest_tokens(vectors, id, count))


@inspect.command(
    epilog="""\b
Examples:
  rnn inspect embedding --out projector
  rnn inspect embedding --model runs/quick-1 --out projector --force
"""
)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="The folder to write.")
@model_option
@click.option("--force", is_flag=True, help="Replace an earlier --out.")
def embedding(out: Path, model: str | None, force: bool) -> None:
    """Write the token vectors for the Embedding Projector.

    It shows them as a cloud of points, in TensorBoard or in the browser. The folder holds tensors.tsv (a vector on each
    line), metadata.tsv (its token) and projector_config.pbtxt. Padding is left out: line N is the token of id N. Tabs,
    line ends and backslashes in a token are written \\t, \\n, \\\\.
    """
    from rnn_cli.bundle.model_folder import Bundle
    from rnn_cli.cli.show_inspect import show_projector
    from rnn_cli.inspection.vectors import PROJECTOR_FILES, read_vectors, write_vectors
    from rnn_cli.outputs import check_folder

    check_folder(out, force=force, own=PROJECTOR_FILES)
    vectors = read_vectors(Bundle.open(trained_folder(model)))
    show_projector(out, write_vectors(vectors, out, force=force), vectors.table.shape[1])


@inspect.command(
    epilog="""\b
Examples:
  rnn inspect behaviour
  rnn inspect behaviour --yaml > cases.yaml      to start your own from
  rnn inspect behaviour cases.yaml --fail-above 0.1
  rnn inspect behaviour --label positive=good --label negative=bad
"""
)
@click.argument("cases", required=False, metavar="[CASES.yaml]")
@model_option
@click.option(
    "--label", "labels", multiple=True, metavar="NAME=LABEL", help="Which label of the model a test's label is."
)
@click.option(
    "--texts",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="Texts a test, at most; of more a sample  [default: 300]",
)
@click.option("--examples", type=click.IntRange(0, 100), metavar="N", help="Failures to show of a test  [default: 2]")
@click.option(
    "--fail-above", type=click.FloatRange(0, 1), metavar="RATE", help="Exit 1 if a test fails on a larger share."
)
@click.option("--yaml", "as_yaml", is_flag=True, help="Print the tests that come with rnn, and run none.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with every failure.")
def behaviour(
    cases: str | None,
    model: str | None,
    labels: tuple[str, ...],
    texts: int | None,
    examples: int | None,
    fail_above: float | None,
    as_yaml: bool,
    as_json: bool,
) -> None:
    """Test how a model handles negation, names and typos.

    Each test makes texts from templates and counts those that fail. Of the kind `label` they must get a label, of
    `same` a change must not change the label, of `more` and `less` it must not lower or raise a label's probability.

    Without CASES.yaml these are tests for short English opinions. Those that expect a label need a model with labels
    such as positive, negative and neutral. The format: docs/inspect.md.
    """
    if as_yaml:
        _print_suite(cases)
        return
    if as_json and examples is not None:
        raise UsageError("--json has every failure, so it takes no --examples", hint="leave one out")
    if fail_above is not None and fail_above != fail_above:  # Click takes nan, above which nothing is
        raise UsageError("--fail-above nan: expected a rate from 0 to 1", hint="such as 0.1")
    named = dict(map(_label_given, labels))

    from rnn_cli.bundle.locate import shown_model
    from rnn_cli.inspection.behaviour import MOST_CASES, measure_behaviour
    from rnn_cli.inspection.cases import load_suite
    from rnn_cli.progress import listening
    from rnn_cli.scoring.predictor import Predictor

    suite = load_suite(cases)
    path = trained_folder(model)
    predictor, path = Predictor.open(path), Path(shown_model(path, from_here=True))
    with listening() as listener:
        found = measure_behaviour(
            predictor,
            suite,
            labels=named,
            most=texts or MOST_CASES,
            on_scored=lambda done, total: listener.progress("texts scored", done, total),
        )

    from rnn_cli.cli.show_behaviour import behaviour_as_json, refuse_failures, show_behaviour

    if as_json:
        behaviour_as_json(found, path, cases)
    else:
        show_behaviour(found, path, cases, 2 if examples is None else examples)
    refuse_failures(found, fail_above)


def _print_suite(cases: str | None) -> None:
    if cases is not None:
        raise UsageError("--yaml prints the tests that come with rnn", hint="leave CASES.yaml out")
    from rnn_cli.inspection.cases import OWN_SUITE

    click.echo(OWN_SUITE.read_text(encoding="utf-8"), nl=False)


def _label_given(option: str) -> tuple[str, str]:
    """The label of a test and the model's, from NAME=LABEL."""
    name, equals, label = option.partition("=")
    if not (name and equals and label):
        raise UsageError(f"--label {option}: expected NAME=LABEL", hint="such as --label positive=1")
    return name, label


@inspect.command(
    epilog="""\b
Examples:
  rnn inspect gradients
  rnn inspect gradients --set data.source=reviews.csv --out gradients.png
  rnn inspect gradients --steps 0 --scale 3      exploding gradients
"""
)
@click.argument("config", required=False, metavar="[CONFIG]")
@set_option("Override a key; may be repeated.")
@PICTURE
@FORCE
@click.option(
    "--texts", type=click.IntRange(1, 4096), default=64, metavar="N", help="Training texts to measure on  [default: 64]"
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 100),
    default=5,
    metavar="N",
    help="Networks to measure of each cell  [default: 5]",
)
@click.option(
    "--tokens",
    type=click.IntRange(2, 10_000),
    default=120,
    metavar="N",
    help="The most tokens to read of a text  [default: 120]",
)
@click.option(
    "--steps",
    type=click.IntRange(0, 100_000),
    default=40,
    metavar="N",
    help="Training steps, 64 texts each  [default: 40]",
)
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True, max=100),
    default=1.0,
    metavar="X",
    help="Multiply the first recurrent weights  [default: 1]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def gradients(
    config: str | None,
    settings: tuple[str, ...],
    out: Path | None,
    force: bool,
    texts: int,
    seeds: int,
    tokens: int,
    steps: int,
    scale: float,
    as_json: bool,
) -> None:
    """Show vanishing and exploding gradients.

    They show how far back in your own texts each kind of cell can learn. CONFIG is a YAML file or a recipe [default:
    default]. For each cell (rnn, gru, lstm) one layer reads training texts forwards and predicts from its last state.
    The table has the gradient of the loss at each token's vector, by the token's distance from the end: the geometric
    mean of its norm, relative to the last token's, on new weights, and again after a short training.

    One network says little, so several of each cell are measured, from training.seed on. The band holds 80% of all
    curves, one of each network and text; where the bands of two cells overlap, it says that it cannot tell them apart.
    It takes about a minute on two cores, with --steps 0 a third of that.

    All cells draw recurrent weights evenly from ±1/√units. Biases start at 0, those of the lstm's forget gate and of
    the gru's gates at 1. Training opens the gates of lstm and gru where memory pays.
    """
    check_full()

    from rnn_cli.config.load import load_config, parse_override

    chosen = load_config(config, [*map(parse_override, settings)])
    _check_picture(out, force)

    from rnn_cli.inspection.decay import with_shorter_texts
    from rnn_cli.progress import listening
    from rnn_cli.training.listener import announce_tensorflow
    from rnn_cli.training.prepare import prepare

    with listening() as listener:
        prepared = prepare(with_shorter_texts(chosen, tokens), listener)
        announce_tensorflow(listener)
        from rnn_cli.training import quiet  # noqa: F401, I001  (before all that loads TensorFlow)
        from rnn_cli.inspection.gradients import measure_gradients

        lesson = measure_gradients(prepared, texts=texts, seeds=seeds, steps=steps, scale=scale, listener=listener)
    if out is not None:
        from rnn_cli.inspection.picture import save_picture

        save_picture(lesson, out, force=force)

    from rnn_cli.cli.show_gradients import show_lesson

    if as_json:
        from rnn_cli.cli.layout import to_json

        click.echo(to_json(lesson.to_dict()))
    else:
        show_lesson(lesson)
        if out is not None:
            click.echo(f"\nChart  {one_line(str(out))}")


def _check_picture(out: Path | None, force: bool) -> None:
    """Refuse, before any work is done, what --out may not replace."""
    if out is not None:
        from rnn_cli.bundle.targets import check_picture

        check_picture(out, force=force)
    elif force:
        raise UsageError("--force is for --out, which is not given", hint="add it")
