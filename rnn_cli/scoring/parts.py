"""A bundle's tokenizer, graph and config, checked against each other before they are used.

All of them may come from an untrusted source. Loads only numpy, so that `rnn predict` starts fast.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from rnn_cli.bundle.model_folder import COLUMNS_FILE, CONFIG, MANIFEST, ONNX_MODEL, TOKENIZER, Bundle
from rnn_cli.errors import BundleError
from rnn_cli.graph.architecture import Architecture
from rnn_cli.graph.reading import Graph, read_graph
from rnn_cli.kinds import outputs_of
from rnn_cli.text.tokenizer import Tokenizer

if TYPE_CHECKING:  # loading it loads pydantic
    from rnn_cli.config.schema import Config


def read_tokenizer(opened: Bundle) -> Tokenizer:
    """A bundle's tokenizer; raises `BundleError` if it is damaged."""
    return parse_tokenizer(opened.read(TOKENIZER), opened.path)


def parse_tokenizer(content: bytes, folder: Path) -> Tokenizer:
    """The tokenizer from the bytes of a folder's file; raises `BundleError` if they do not hold one."""
    try:
        return Tokenizer.from_json(content.decode("utf-8", "replace"))
    except BundleError as error:
        raise BundleError(error.what, where=str(folder / TOKENIZER)) from None


def read_fitting_graph(
    file: bytes | bytearray, where: str, tokenizer: Tokenizer, outputs: int, columns: int = 0
) -> Graph:
    """The graph from the bytes of the file `where`, for this tokenizer and this number of logits a text.

    `columns` are the numbers of other columns that it takes.

    Raises `BundleError` if it is for others, or not a graph of rnn.
    """
    graph = read_graph(file, where)
    if graph.architecture.outputs != outputs:
        raise BundleError(f"does not return the {outputs} logits a text that its labels need", where=where)
    if graph.architecture.vocab_size != tokenizer.vocab_size:
        raise BundleError(f"does not hold a vector for each of {tokenizer.vocab_size:,} tokens", where=where)
    if graph.architecture.columns != columns:
        raise BundleError(f"does not take the {columns:,} numbers of the model's other columns", where=where)
    return graph


def check_config(opened: Bundle, config: "Config", tokenizer: Tokenizer, architecture: Architecture) -> None:
    """Raise `BundleError` unless a bundle's config describes its tokenizer and the network of its graph."""
    where = str(opened.path / CONFIG)
    manifest = opened.manifest
    if config.data.labels != manifest.kind:
        raise BundleError(f"data.labels: {config.data.labels} is not what {MANIFEST} says", where=where)
    classes, several = outputs_of(manifest.kind, len(manifest.labels))
    columns = architecture.columns  # which the graph and the file of columns agree on
    made_of = Architecture.of(config.model, tokenizer.vocab_size, classes, several=several, columns=columns)
    if bool(config.data.extra_columns) != (COLUMNS_FILE in manifest.files):
        raise BundleError(f"data.extra_columns is not what {COLUMNS_FILE} holds", where=where)
    if made_of != architecture:
        raise BundleError(f"model is not the network in {ONNX_MODEL}", where=where)
    if not describes(config, tokenizer):
        raise BundleError(f"tokenizer is not the one in {TOKENIZER}", where=where)


def describes(config: "Config", tokenizer: Tokenizer) -> bool:
    """Whether a tokenizer can come from a config."""
    asked = config.tokenizer
    same = ("level", "oov_token", "lowercase", "punctuation", "splitting", "max_length", "truncate")
    return (
        all(getattr(asked, name) == getattr(tokenizer, name) for name in same)
        and asked.filters in (None, tokenizer.filters)
        and tokenizer.vocab_size <= asked.vocab_size
    )
