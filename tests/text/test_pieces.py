"""The pieces of a text are those Hugging Face `tokenizers` finds with the same merges, and need no library."""

import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, models, pre_tokenizers
from tokenizers import Tokenizer as Library

from rnn_cli.text.pieces import KEPT_LENGTH
from rnn_cli.text.tokenizer import Tokenizer

TAUGHT = [
    "A warm, funny film. It isn't dull! lower lowest newer newest",
    "the film was warm and the plot was dull… (or so: I thought) 100% 3.5 -- ---",
    "İstanbul'da güzel bir film; naïve café ﬁlm e\u0301te\u0301 straße 好好。真的吗？",
] * 2

SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "as written": {"lowercase": False, "filters": ","},
    "signs are unknown": {"oov_token": "--"},
    "a word is unknown": {"oov_token": "film"},
    "a word as written is unknown": {"oov_token": "Film", "lowercase": False},
}
PARTS = [
    *" ".join(TAUGHT[:3]).split(),
    "<OOV>",
    "<oov>",
    "film",
    "Film",
    "--",
    *"-¼Ⓐⓩ\u0301\u200d_▁",
    "\r\n",
    "film" * 99,
]
TEXTS = st.text() | st.lists(st.sampled_from(PARTS) | st.text(max_size=3)).flatmap(
    lambda parts: st.sampled_from([" ".join(parts), "".join(parts)])
)


def by_the_library(tokenizer: Tokenizer) -> Library:
    """The library, set up as the learned vocabulary and merges ask."""
    ids = {token: place for place, token in enumerate(tokenizer.vocab)}
    library = Library(models.BPE(vocab=ids, merges=list(tokenizer.merges), unk_token=tokenizer.oov_token))
    library.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace("▁"), pre_tokenizers.Punctuation()])
    unknown = AddedToken(tokenizer.oov_token, single_word=True, lstrip=True, rstrip=True, normalized=False)
    library.add_special_tokens([unknown])
    return library


@pytest.mark.parametrize("name", SETTINGS)
def test_the_ids_are_those_of_the_library(name: str) -> None:
    tokenizer = Tokenizer.fit(TAUGHT, level="subword", vocab_size=90, **SETTINGS[name])
    library = by_the_library(tokenizer)
    unknown = {tokenizer.oov_token, tokenizer.oov_token.lower()} if tokenizer.lowercase else {tokenizer.oov_token}

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(TEXTS)
    @example("<OOV> <oov> x<OOV>y (<OOV>) <OOV><OOV> _<OOV> film! (film) film,film filmfilm film¼ ⓐfilm film\u0301")
    @example("▁film ▁▁ the▁film ▁")
    @example("-- --- a-- --a (--) --,--")
    def same(text: str) -> None:
        words = tokenizer._clean(text).split()
        plain = " ".join(tokenizer.oov_token if word in unknown else word for word in words)
        assert tokenizer.encode_whole(text) == library.encode(plain).ids

    same()


def test_a_word_too_long_to_remember_is_split_as_a_short_one() -> None:
    tokenizer = Tokenizer.fit(TAUGHT, level="subword", vocab_size=90)
    assert tokenizer.tokens("lowest" * KEPT_LENGTH) == tokenizer.tokens("lowest") + tokenizer.tokens("xlowest")[2:] * (
        KEPT_LENGTH - 1
    )


def test_a_learned_vocabulary_needs_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    learned = Tokenizer.fit(TAUGHT, level="subword", vocab_size=90)
    expected = learned.encode("the lowest film")
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    monkeypatch.delitem(sys.modules, "rnn_cli.text.subword")
    assert Tokenizer.from_json(learned.to_json()).encode("the lowest film") == expected
