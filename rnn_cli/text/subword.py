"""Learns a vocabulary and merges of pieces of words by byte-pair encoding, with Hugging Face `tokenizers`.

The only file that imports that library, which is an extra. `rnn_cli.text.pieces` splits texts with the merges. Knows
nothing of truncation or files.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable

from rnn_cli.errors import missing
from rnn_cli.text.pieces import Merges
from rnn_cli.text.splitting import WORD_START

try:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
except ModuleNotFoundError as error:
    raise missing(error.name or "") or error from error


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
    then longer pieces seen at least twice. Ignores words in `reserved`. Equal texts give equal results.
    """
    plain = [" ".join(word for word in clean(text).split() if word not in reserved) for text in texts]
    characters: Counter[str] = Counter()
    for text in plain:
        characters.update(text)
    for taken in (" ", WORD_START):
        del characters[taken]
    # Without an alphabet, the library chooses among equally frequent characters in the order of its hash table.
    alphabet = [WORD_START, *(each for each, _ in characters.most_common(vocab_size - len(specials) - 1))]
    tokenizer = Tokenizer(models.BPE(unk_token=specials[1]))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(  # no piece joins a mark with its neighbour
        [pre_tokenizers.Metaspace(WORD_START), pre_tokenizers.Punctuation()]
    )
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
