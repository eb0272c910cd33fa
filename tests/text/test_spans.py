"""Where tokens stand: their characters, read by themselves, are the same tokens."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnn_cli.text.tokenizer import Tokenizer
from rnn_cli.text.typography import usual

ODD = st.text(st.sampled_from("aBéİΣ_'’.,)…。！▁<OV>\u0301\u200d😀🏽🇩🇪\x00\u00a0\u2028\ud800 \t\n\r"))
ANY = ODD | st.text() | st.lists(st.sampled_from(["The", "film", "<OOV>", "lowest!", "İİ"])).map(" ".join)

TEXTS = ["The film is lower. The lowest!", "a Good film, a dull end", "naïve café ☃ good\tgood", "oov <o>"]
SETTINGS: dict[str, dict[str, object]] = {
    "words": {},
    "words, in their case": {"lowercase": False},
    "words without a letter": {"filters": "e—."},
    "words and marks": {"punctuation": "keep"},
    "words and some marks": {"punctuation": "keep", "filters": ".é"},
    "characters": {"level": "char"},
    "characters without a letter": {"level": "char", "filters": "a"},
    "sentences": {"level": "sentence"},
    "sentences without marks": {"level": "sentence", "filters": ".!,。"},
    "pieces": {"level": "subword", "vocab_size": 60},
    "pieces without marks": {"level": "subword", "vocab_size": 60, "filters": ".<"},
    "pieces of few characters": {"level": "subword", "vocab_size": 3},
}
SETTINGS |= {
    f"{name}, {splitting}": {**settings, "splitting": splitting}
    for splitting in ("ascii", "posts")
    for name, settings in SETTINGS.items()
}
TOKENIZERS = {name: Tokenizer.fit(TEXTS, **settings) for name, settings in SETTINGS.items()}  # type: ignore[arg-type]


def same_sigma(tokens: list[str]) -> list[str]:
    """A capital sigma is lower-cased by what stands after it, even behind a mark, and a slice has nothing after it."""
    return [token.replace("ς", "σ") for token in tokens]


@pytest.mark.parametrize("name", [name for name in SETTINGS if "pieces" not in name])
@given(ANY)
@example("İ, İİ. İ")
@example("sooo @bob_x: see http://t.co/a?b=c, a.b@c.de wwww")
@example("\u0301İ\u0301")
def test_the_characters_of_a_token_are_read_as_that_token(name: str, text: str) -> None:
    tokenizer = TOKENIZERS[name]
    tokens, spans = tokenizer.tokens(text), tokenizer.spans(text)
    assert len(spans) == len(tokens)
    if tokenizer.splitting != "ascii":
        if any(len(usual(character)) > 1 for character in text):
            return  # several marks share one character
        if any(unicodedata.category(token[0])[0] == "M" or token[0] in "\u200c\u200d" for token in tokens):
            return  # an accent on no letter shares what it stands on
    alone = [tokenizer.tokens(text[start:end]) for start, end in dict.fromkeys(spans)]  # a shared "İ" is read once
    assert same_sigma(sum(alone, [])) == same_sigma(tokens)
    if tokenizer.level != "char":
        assert [len(each) for each in alone] == [1] * len(tokens)


@pytest.mark.parametrize("name", [name for name in SETTINGS if "pieces" in name])
@given(ANY)
@example("▁ a▁b ▁")
@example("(<OOV>) <oov>b <OOV>")
@example("B.Σ")
def test_the_characters_of_a_words_pieces_are_read_as_those_pieces(name: str, text: str) -> None:
    tokenizer = TOKENIZERS[name]
    pieces, spans = [piece.strip() for piece in tokenizer.tokens(text)], tokenizer.spans(text)
    assert len(spans) == len(pieces)
    words: list[tuple[int, int, list[str]]] = []  # pieces whose characters touch, together
    for piece, (start, end) in zip(pieces, spans, strict=True):
        assert 0 <= start < end <= len(text)
        if words and start <= words[-1][1]:
            first, last, already = words.pop()
            words.append((first, max(last, end), [*already, piece]))
        else:
            words.append((start, end, [piece]))
    if "▁" not in text and "Σ" not in text:  # whose lower case depends on what stands before it
        alone = [[piece.strip() for piece in tokenizer.tokens(text[start:end])] for start, end, _ in words]
        assert alone == [each for *_, each in words]


@pytest.mark.parametrize("name", SETTINGS)
@given(ANY)
def test_what_has_no_span_is_blank_or_filtered(name: str, text: str) -> None:
    tokenizer = TOKENIZERS[name]
    spans = tokenizer.spans(text)
    assert spans == sorted(spans)
    ends = [0, *(end for _, end in spans)]
    starts = [*(start for start, _ in spans), len(text)]
    between = "".join(text[end:start] for end, start in zip(ends, starts, strict=True))
    cleaned = between.lower().encode("utf-8", "replace").decode()  # half a surrogate pair is read as "?"
    if tokenizer.splitting != "ascii":
        cleaned = tokenizer._clean(between)
    assert all(each.isspace() or each in tokenizer.filters + "▁" for each in cleaned)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("words", "A warm, FUNNY  film!", ["A", "warm", "FUNNY", "film"]),
        ("words", "İstanbul is İn, so", ["İstanbul", "is", "İn", "so"]),
        ("words and marks", "Don't... 👍🏽!", ["Don't", ".", ".", ".", "👍🏽", "!"]),
        ("characters", "aİ b", ["a", "İ", "İ", " ", "b"]),
        ("sentences without marks", " One,  two. Three!\nfour", ["One,  two", "Three", "four"]),
        ("pieces", "Lowest  film, ☃", ["Lowe", "s", "t", "film", ",", "☃", "☃"]),  # "▁" begins the last word
        ("pieces", "<oov> film", ["<oov>", "film"]),
        ("words", " , ", []),
    ],
)
def test_spans(name: str, text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in TOKENIZERS[name].spans(text)] == expected


def test_a_word_written_as_an_unknown_token_of_another_length_moves_no_span() -> None:
    tokenizer = Tokenizer.fit(TEXTS, level="subword", vocab_size=60, oov_token="<İ>")
    text = "<İ> film"
    assert {text[start:end] for start, end in tokenizer.spans(text)} >= {"<İ>"}
    assert tokenizer.spans(text)[-1][1] == len(text)
