"""Pieces of words by byte-pair encoding (Sennrich et al., 2016), done by Hugging Face `tokenizers`.

The only file that imports that library, which is an extra. What is learned is a vocabulary and a list of
merges; all else (spaces, punctuation, unknown words) is decided here, the same each time. Knows nothing of
truncation or files.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from rnn_cli.errors import UsageError
from rnn_cli.text.splitting import WORD_START, Split

try:
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers
except ModuleNotFoundError as error:
    raise UsageError(
        "tokenizer.level: subword needs the library tokenizers", mend="pip install 'rnn-cli[subword]'"
    ) from error

Merges = Sequence[tuple[str, str]]
"""Which two pieces became one, in the order they were learned."""


def learn(
    texts: Iterable[str],
    *,
    vocab_size: int,
    specials: tuple[str, str],
    clean: Callable[[str], str],
    reserved: Collection[str],
) -> tuple[tuple[str, ...], Merges]:
    """The pieces in id order, at most `vocab_size`, and the merges that make them.

    `specials` (padding, unknown) come first, then single characters, the most frequent ones if not all fit,
    then longer pieces seen at least twice. Words in `reserved` are left out. Equal texts, equal answer.
    """
    plain = [" ".join(word for word in clean(text).split() if word not in reserved) for text in texts]
    characters: Counter[str] = Counter()
    for text in plain:
        characters.update(text)
    for taken in (" ", WORD_START):
        del characters[taken]
    # Left to itself, the library chooses among equally frequent characters in its hash table's order.
    alphabet = [WORD_START, *(each for each, _ in characters.most_common(vocab_size - len(specials) - 1))]
    tokenizer = _tokenizer(models.BPE(unk_token=specials[1]))
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        special_tokens=list(specials),
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    tokenizer.train_from_iterator(plain, trainer)
    ids = tokenizer.get_vocab()
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return tuple(sorted(ids, key=ids.__getitem__)), [(left, right) for left, right in merges]


def piece_splitter(
    vocab: Sequence[str], merges: Merges, *, clean: Callable[[str], str], reserved: Collection[str]
) -> Split:
    """The function that splits a text into pieces of `vocab`; `vocab[1]` stands for what is unknown.

    A character that no piece knows is a token of its own, a word in `reserved` is one unknown token. Every
    part of a merge must be in `vocab`, and so must what it makes: on any other list the library panics.
    """
    unknown = vocab[1]
    ids = {piece: index for index, piece in enumerate(vocab)}
    tokenizer = _tokenizer(models.BPE(vocab=ids, merges=list(merges), unk_token=unknown))
    tokenizer.add_special_tokens([AddedToken(unknown, single_word=True, lstrip=True, rstrip=True, normalized=False)])

    def split(text: str) -> list[str]:
        plain = " ".join(unknown if word in reserved else word for word in clean(text).split())
        found = tokenizer.encode(plain)
        return [
            plain[start:end].strip() if piece == unknown else piece
            for piece, (start, end) in zip(found.tokens, found.offsets, strict=True)
        ]

    return split


def _tokenizer(model: Any) -> Any:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(WORD_START), pre_tokenizers.Punctuation()]
    )
    return tokenizer
