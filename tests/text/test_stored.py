"""tokenizer.json: what is written is read back equal, and nothing else is read at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_cli.errors import BundleError
from rnn_cli.text.tokenizer import Tokenizer

LEVELS = ["word", "char", "sentence", "subword"]
TEXTS = ["The film is good. The end!", 'a "Good" film,\\ a dull end', "naïve café ☃ good\tgood"]


def changed(fitted: str = "word", /, **fields: object) -> str:
    """A good tokenizer's JSON with some fields replaced; `...` removes one."""
    written = json.loads(Tokenizer.fit(TEXTS, level=fitted, vocab_size=40).to_json()) | fields
    return json.dumps({key: value for key, value in written.items() if value is not ...})


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("settings", [{}, {"lowercase": False, "filters": "e—", "max_length": 3, "truncate": "both"}])
def test_round_trip(level: str, settings: dict[str, object]) -> None:
    tokenizer = Tokenizer.fit(TEXTS, level=level, vocab_size=40, **settings)  # type: ignore[arg-type]
    written = tokenizer.to_json()
    read = Tokenizer.from_json(written)
    assert written.isascii()
    assert read == tokenizer
    assert read.to_json() == written
    others = [*TEXTS, "", "unseen ☂ words. Film"]
    assert read.encode_all(others) == tokenizer.encode_all(others)


@given(texts=st.lists(st.text()), text=st.text(), level=st.sampled_from(["word", "char", "sentence"]))
def test_round_trip_of_any_text(texts: list[str], text: str, level: str) -> None:
    tokenizer = Tokenizer.fit(texts, level=level)
    assert Tokenizer.from_json(tokenizer.to_json()).encode_all([*texts, text]) == tokenizer.encode_all([*texts, text])


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_changed_for_the_bad_corpus_is_good(level: str) -> None:
    assert Tokenizer.from_json(changed(level)).level == level


BAD = {
    "empty": ("", "not readable as JSON"),
    "cut": (changed()[:-5], "not readable as JSON"),
    "list": ("[]", "expected an object"),
    "deep": ("[" * 100_000, "nested too deeply"),
    "long integer": ('{"max_length": ' + "9" * 5000 + "}", "not readable as JSON"),
    "key twice": ('{"level": "word", "level": "char"}', "appears twice"),
    "key missing": (changed(filters=...), "filters is missing"),
    "key unknown": (changed(extra=1), "unknown key 'extra'"),
    "merges at word level": (changed(merges=[]), "unknown key 'merges'"),
    "merges missing": (changed("subword", merges=...), "merges is missing"),
    "level": (changed(level="letter"), "level: expected one of word, char"),
    "level number": (changed(level=1), "level: expected str, got int"),
    "level list": (changed(level=[]), "level: expected str, got list"),
    "truncate": (changed(truncate="middle"), "truncate: expected one of head"),
    "punctuation": (changed(punctuation="some"), "punctuation: expected one of drop, keep, got 'some'"),
    "punctuation null": (changed(punctuation=None), "punctuation: expected str, got NoneType"),
    "punctuation of characters": (changed("char", punctuation="keep"), "punctuation: keep needs level word, got char"),
    "lowercase": (changed(lowercase=1), "lowercase: expected bool, got int"),
    "max_length true": (changed(max_length=True), "max_length: expected int, got bool"),
    "max_length float": (changed(max_length=5.0), "max_length: expected int, got float"),
    "max_length zero": (changed(max_length=0), "max_length: expected from 1 to 2147483647, got 0"),
    "filters null": (changed(filters=None), "filters: expected str, got NoneType"),
    "oov empty": (changed(oov_token="", vocabulary=["", ""]), "oov_token: expected at least one"),
    "vocabulary object": (changed(vocabulary={}), "holds a nested object"),
    "vocabulary empty": (changed(vocabulary=[]), "vocabulary: expected the padding token"),
    "vocabulary first": (changed(vocabulary=["a", "<OOV>"]), "vocabulary: expected the padding token"),
    "vocabulary second": (changed(vocabulary=["", "a"]), "vocabulary: expected the padding token"),
    "vocabulary number": (changed(vocabulary=["", "<OOV>", "a", 5]), "vocabulary.3: expected str, got int"),
    "vocabulary twice": (changed(vocabulary=["", "<OOV>", "a", "b", "a"]), "vocabulary: 'a' appears twice"),
    "vocabulary surrogate": (changed(vocabulary=["", "<OOV>", "\ud800"]), "vocabulary: holds half of a"),
    "merges text": (changed("subword", merges="ab"), "merges: expected list, got str"),
    "merge of three": (changed("subword", merges=[["a", "b", "c"]]), "merges.0: expected two pieces"),
    "merge of numbers": (changed("subword", merges=[[1, 2]]), "merges.0: expected two pieces"),
    "merge unknown": (changed("subword", merges=[["q", "q"]]), "merges.0: 'q' and 'q' do not make a piece"),
    "merge makes nothing known": (changed("subword", merges=[["é", "☃"]]), "merges.0: 'é' and '☃' do not make a piece"),
    "merge of nothing": (changed("subword", merges=[["", "a"]]), "merges.0: '' and 'a' do not make a piece"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_json_is_refused(name: str) -> None:
    text, what = BAD[name]
    with pytest.raises(BundleError) as caught:
        Tokenizer.from_json(text)
    assert str(caught.value).startswith("tokenizer.json: ")
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)))
def test_any_value_in_any_field_is_read_or_refused(value: object) -> None:
    for key in json.loads(changed()):
        try:
            Tokenizer.from_json(changed(**{key: value})).encode("a film")
        except BundleError:
            pass
