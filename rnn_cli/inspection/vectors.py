"""A trained model's token vectors, read from its ONNX file. Loads no TensorFlow, and runs nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rnn_cli import system
from rnn_cli.bundle.model_folder import ONNX_MODEL, Bundle
from rnn_cli.errors import UsageError
from rnn_cli.graph import Graph
from rnn_cli.outputs import check_folder
from rnn_cli.scoring.extra import width_of_columns
from rnn_cli.scoring.parts import read_fitting_graph, read_tokenizer
from rnn_cli.text.tokenizer import Tokenizer
from rnn_cli.text.tokenizer_json import PADDING, UNKNOWN

SPELLINGS = 3
"""How many known tokens a hint suggests for an unknown one."""


@dataclass(frozen=True)
class Vectors:
    """The embedding: row `i` of `table` `[vocabulary, dim]` (float32) is the vector of id `i`."""

    tokenizer: Tokenizer
    table: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Neighbour:
    """A token and the cosine similarity of its vector to another's, from -1 to 1."""

    token: str
    id: int
    similarity: float


def read_vectors(opened: Bundle) -> Vectors:
    """A bundle's tokens and their vectors.

    Raises `UsageError` for a model with one-hot tokens and `BundleError` for a damaged or foreign one.
    """
    tokenizer = read_tokenizer(opened)
    graph = read_graph_of(opened, tokenizer)
    if graph.vectors is None:
        is_linear = graph.architecture.is_linear
        raise UsageError(
            f"has no token vectors: {'it is a linear model' if is_linear else 'its tokens are one-hot'}",
            where=str(opened.path),
            hint="name a network" if is_linear else "name a model trained with model.input=embedding",
        )
    return Vectors(tokenizer, graph.vectors)


def read_graph_of(opened: Bundle, tokenizer: Tokenizer) -> Graph:
    """A bundle's graph, with the tokens' vectors if it has some. Raises `BundleError`."""
    file, where = opened.read(ONNX_MODEL), str(opened.path / ONNX_MODEL)
    return read_fitting_graph(file, where, tokenizer, opened.manifest.outputs, width_of_columns(opened))


def find_token(tokenizer: Tokenizer, word: str) -> int:
    """The id of a token, written as in the vocabulary or as in a text (upper case, punctuation).

    Raises `UsageError` for an unknown token, with the nearest spellings, and for a word of several tokens.
    """
    for token in (word, *_only(tokenizer.tokens(word))):
        if token == tokenizer.oov_token or tokenizer.id_of(token) != UNKNOWN:
            return tokenizer.id_of(token)
    tokens = tokenizer.tokens(word)
    if len(tokens) > 1:
        raise UsageError(f"is {len(tokens)} tokens: {' '.join(tokens)}", where=word, hint="name one of them")
    near = get_close_matches(tokens[0] if tokens else word, tokenizer.vocab[PADDING + 1 :], SPELLINGS, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "name a token that is frequent in its training texts"
    raise UsageError("the model knows no such token", where=word, hint=hint)


def nearest_tokens(vectors: Vectors, id: int, count: int) -> list[Neighbour]:
    """The `count` tokens with the most similar vectors by cosine, nearest first; ties in id order.

    Leaves out padding, the token itself and tokens with a zero vector. Raises `UsageError` if the token's own vector is
    zero.
    """
    table = vectors.table.astype(np.float64)
    lengths = np.linalg.norm(table, axis=1)
    if not lengths[id]:
        raise UsageError("its vector is zero, so it has no direction", where=vectors.tokenizer.vocab[id])
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = np.clip(table @ table[id] / (lengths * lengths[id]), -1, 1)
    order = np.argsort(-cosines, kind="stable")
    chosen = [int(other) for other in order if other not in (PADDING, id) and lengths[other]][:count]
    return [Neighbour(vectors.tokenizer.vocab[other], other, float(cosines[other])) for other in chosen]


def _only(tokens: Sequence[str]) -> Sequence[str]:
    return tokens if len(tokens) == 1 else ()


TENSORS_FILE, METADATA_FILE, PROJECTOR_CONFIG = PROJECTOR_FILES = (
    "tensors.tsv",
    "metadata.tsv",
    "projector_config.pbtxt",
)

_PBTXT = f"""\
embeddings {{
  tensor_name: "embedding"
  tensor_path: "{TENSORS_FILE}"
  metadata_path: "{METADATA_FILE}"
}}
"""

_BREAKING = re.compile(r"[\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Control characters, line ends of some readers, and the backslash of escapes."""


def write_vectors(vectors: Vectors, out: Path, *, force: bool) -> int:
    """Write the projector's three files to the folder `out`, all or none; returns how many tokens they hold.

    Padding (id 0) is left out, so line `i` of both tables, from 1, is the token of id `i`. Numbers have nine digits:
    read as float32 they equal the model's. Raises `UsageError` if `out` must not be replaced, and `WriteError` if the
    disk refuses.
    """
    check_folder(out, force=force, own=PROJECTOR_FILES)
    tokens = vectors.tokenizer.vocab[PADDING + 1 :]
    with (
        system.as_write_error(out),
        system.whole_folder(out.resolve(), lambda: check_folder(out, force=force, own=PROJECTOR_FILES)) as folder,
    ):
        with (folder / TENSORS_FILE).open("w", encoding="utf-8", newline="\n") as tensors:
            for row in vectors.table[PADDING + 1 :]:
                tensors.write("\t".join([f"{value:.9g}" for value in row.tolist()]) + "\n")
        system.write(folder / METADATA_FILE, "".join(f"{escape(token)}\n" for token in tokens))
        system.write(folder / PROJECTOR_CONFIG, _PBTXT)
    return len(tokens)


def escape(token: str) -> str:
    """A token as one field of one line; line breaks, and all of a blank token, are escaped as in Python."""
    breaking = _BREAKING if token.strip() else re.compile(r"\s|" + _BREAKING.pattern)
    return breaking.sub(lambda found: _escaped(found[0]), token)


def _escaped(character: str) -> str:
    return r"\x20" if character == " " else character.encode("unicode_escape").decode("ascii")
