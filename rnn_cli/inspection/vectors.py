"""A trained model's token vectors, read from its ONNX file; loads no TensorFlow, and runs nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt

from rnn_cli import bundle
from rnn_cli.bundle import Bundle
from rnn_cli.errors import UsageError
from rnn_cli.scoring.parts import read_fitting_graph, read_tokenizer
from rnn_cli.text.stored import PADDING, UNKNOWN
from rnn_cli.text.tokenizer import Tokenizer

SPELLINGS = 3
"""How many known tokens are offered for an unknown one."""


@dataclass(frozen=True)
class Vectors:
    """The embedding: row `i` of `table` `[vocabulary, dim]` (float32) is the vector of the tokenizer's id `i`."""

    tokenizer: Tokenizer
    table: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Neighbour:
    """A token and the cosine of the angle between its vector and another's, from -1 to 1."""

    token: str
    id: int
    similarity: float


def read_vectors(opened: Bundle) -> Vectors:
    """A bundle's tokens and their vectors.

    Raises `UsageError` for a model whose tokens enter as one-hot and `BundleError` for a damaged or foreign one.
    """
    tokenizer, where = read_tokenizer(opened), str(opened.path / bundle.ONNX_MODEL)
    graph = opened.read(bundle.ONNX_MODEL)
    table = read_fitting_graph(graph, where, tokenizer, len(opened.manifest.labels)).vectors
    if table is None:
        raise UsageError(
            "has no token vectors: its tokens enter as one-hot",
            where=str(opened.path),
            mend="name a model trained with model.input=embedding",
        )
    return Vectors(tokenizer, table)


def find(tokenizer: Tokenizer, word: str) -> int:
    """The id of a token, written as in the vocabulary or as a text would hold it (upper case, punctuation).

    Raises `UsageError` for what is no token, with the nearest spellings, and for what is several.
    """
    for token in (word, *_only(tokenizer.tokens(word))):
        if token == tokenizer.oov_token or tokenizer.id_of(token) != UNKNOWN:
            return tokenizer.id_of(token)
    tokens = tokenizer.tokens(word)
    if len(tokens) > 1:
        raise UsageError(f"is {len(tokens)} tokens: {' '.join(tokens)}", where=word, mend="ask for one of them")
    near = get_close_matches(tokens[0] if tokens else word, tokenizer.vocab[PADDING + 1 :], SPELLINGS, cutoff=0.6)
    mend = f"did you mean {' or '.join(near)}?" if near else "ask for a token that its training texts held often"
    raise UsageError("the model knows no such token", where=word, mend=mend)


def nearest(vectors: Vectors, id: int, count: int) -> list[Neighbour]:
    """The `count` tokens whose vectors point most nearly the same way, nearest first; ties in id order.

    Padding, the token itself and tokens whose vector has no length are left out. Raises `UsageError` if the token's
    own vector has none.
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
