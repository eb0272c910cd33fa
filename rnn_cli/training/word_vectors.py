"""Ready word vectors from a file in GloVe's or fastText's text format, plain or gzip, for a vocabulary."""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rnn_cli.errors import DataError

GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class WordVectors:
    """First vectors `[vocabulary, dim]`, and how many of the words (padding and unknown apart) the file held."""

    vectors: npt.NDArray[np.float32]
    found: int
    words: int


def read_word_vectors(file: Path, vocabulary: Sequence[str], dim: int, *, seed: int) -> WordVectors:
    """Vectors for `vocabulary`, whose first two tokens are padding and unknown.

    A word the file lacks gets a random vector of the spread of those it holds; padding gets zeros. Raises
    `DataError` with the line if the file is not in the format or its vectors are not of length `dim`.
    """
    places = {word: place for place, word in enumerate(vocabulary) if place >= 2}
    vectors = np.zeros((len(vocabulary), dim), np.float32)
    found: set[int] = set()
    for number, (where, word, rest) in enumerate(_lines(file)):
        place = places.get(word)
        if number > 0 and (place is None or place in found):
            continue
        numbers = rest.split(" ")
        if number > 0 and len(numbers) > dim:
            continue  # a token of several words, of which the first is in the vocabulary
        if len(numbers) != dim:
            raise DataError(
                f"a vector of {len(numbers)} numbers, expected {dim}",
                where=where,
                mend="set model.embedding_dim to the length of the file's vectors",
            )
        vector = _floats(numbers, where)
        if place is not None:
            vectors[place] = vector
            found.add(place)
    missing = [place for place in range(1, len(vocabulary)) if place not in found]
    spread = float(vectors[sorted(found)].std()) if found else 0.05
    vectors[missing] = np.random.default_rng(seed).normal(0, spread, (len(missing), dim))
    return WordVectors(vectors, len(found), len(places))


def _lines(file: Path) -> Iterator[tuple[str, str, str]]:
    """Place, word and the rest of each line; fastText's first line, `words dim`, is passed over."""
    try:
        with file.open("rb") as raw:
            magic = raw.read(2)
        with gzip.open(file, "rb") if magic == GZIP_MAGIC else file.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                # A few published words are not whole UTF-8; they can't be in a vocabulary, but need not stop us.
                word, _, rest = line.decode("utf-8", "replace").rstrip().partition(" ")
                if number > 1 or " " in rest:
                    yield f"{file}:{number}", word, rest
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"cannot be read ({reason.lower()})", where=str(file)) from None


def _floats(numbers: list[str], where: str) -> npt.NDArray[np.float32]:
    try:
        vector = np.array(numbers, np.float32)
    except ValueError:
        raise DataError(
            "not a word and its numbers", where=where, mend="use GloVe's or fastText's text format"
        ) from None
    if not np.isfinite(vector).all():
        raise DataError("a vector that is not finite", where=where)
    return vector
