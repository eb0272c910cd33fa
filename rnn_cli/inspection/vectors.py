"""A trained model's token vectors, read from its ONNX file; loads no TensorFlow, and runs nothing."""

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
from rnn_cli.scoring.parts import read_fitting_graph, read_tokenizer
from rnn_cli.text.tokenizer import Tokenizer
from rnn_cli.text.tokenizer_json import PADDING, UNKNOWN

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
    tokenizer, where = read_tokenizer(opened), str(opened.path / ONNX_MODEL)
    graph = opened.read(ONNX_MODEL)
    table = read_fitting_graph(graph, where, tokenizer, len(opened.manifest.labels)).vectors
    if table is None:
        raise UsageError(
            "has no token vectors: its tokens enter as one-hot",
            where=str(opened.path),
            hint="name a model trained with model.input=embedding",
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
        raise UsageError(f"is {len(tokens)} tokens: {' '.join(tokens)}", where=word, hint="ask for one of them")
    near = get_close_matches(tokens[0] if tokens else word, tokenizer.vocab[PADDING + 1 :], SPELLINGS, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "ask for a token that its training texts held often"
    raise UsageError("the model knows no such token", where=word, hint=hint)


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


TENSORS, METADATA, CONFIG = FILES = ("tensors.tsv", "metadata.tsv", "projector_config.pbtxt")

_PBTXT = f"""\
embeddings {{
  tensor_name: "embedding"
  tensor_path: "{TENSORS}"
  metadata_path: "{METADATA}"
}}
"""

_BREAKING = re.compile(r"[\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Control characters, what some reader takes for a line's end, and the escapes' own backslash."""


def check_target(out: Path, *, force: bool) -> None:
    """Refuse, before any work is done, to write where something stands; with `force`, where it holds other files.

    Raises `UsageError`.
    """
    if not (out.exists() or out.is_symlink()):
        return
    if not out.is_dir():
        raise UsageError("is not a folder", where=str(out), hint="choose another --out")
    if not force:
        raise UsageError("exists", where=str(out), hint="use --force to replace its files, or another --out")
    if foreign := sorted({file.name for file in out.iterdir()} - set(FILES)):
        raise UsageError(f"holds {foreign[0]}, which would be lost", where=str(out), hint="choose another --out")


def write(vectors: Vectors, out: Path, *, force: bool) -> int:
    """Write the three files to the folder `out`, all or none; answers how many tokens they hold.

    Padding (id 0) is no token and its vector is never read, so line `i` of both tables, from 1, is the token of
    id `i`. Numbers have nine digits: read as float32 they equal the model's. Raises `UsageError` if `out` may not be
    replaced, `WriteError` where the disk refuses.
    """
    check_target(out, force=force)
    tokens = vectors.tokenizer.vocab[PADDING + 1 :]
    with system.told(out), system.whole_folder(out.resolve(), lambda: check_target(out, force=force)) as folder:
        with (folder / TENSORS).open("w", encoding="utf-8", newline="\n") as tensors:
            for row in vectors.table[PADDING + 1 :]:
                tensors.write("\t".join([f"{value:.9g}" for value in row.tolist()]) + "\n")
        system.write(folder / METADATA, "".join(f"{escape(token)}\n" for token in tokens))
        system.write(folder / CONFIG, _PBTXT)
    return len(tokens)


def escape(token: str) -> str:
    """A token as one field of one line: what would break it, or be skipped as blank, is written as in Python."""
    breaking = _BREAKING if token.strip() else re.compile(r"\s|" + _BREAKING.pattern)
    return breaking.sub(lambda found: _escaped(found[0]), token)


def _escaped(character: str) -> str:
    return r"\x20" if character == " " else character.encode("unicode_escape").decode("ascii")
