"""The Tokenizer at its four levels: vocabulary, ids, truncation, start-up."""

import subprocess
import sys

import pytest

from rnn_cli.config.schema import TokenizerConfig
from rnn_cli.errors import UsageError
from rnn_cli.text.tokenizer import Tokenizer

TEXTS = ["The film is good. The end!", "a Good film, a dull end", "naïve café ☃ good\tgood"]
LEVELS = ["word", "char", "sentence", "subword"]


def fit(texts: list[str], **settings: object) -> Tokenizer:
    return Tokenizer.fit(texts, **settings)  # type: ignore[arg-type]


def test_the_defaults_are_the_configs() -> None:
    assert Tokenizer.fit(TEXTS) == Tokenizer.fit(TEXTS, **TokenizerConfig().model_dump())


def test_ids_go_by_frequency_then_by_first_appearance() -> None:
    tokenizer = fit(["b a c", "c b", "c"])
    assert tokenizer.vocab == ("", "<OOV>", "c", "b", "a")
    assert tokenizer.encode("a b c d") == [4, 3, 2, 1]
    assert tokenizer.vocab_size == 5


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("vocab_size", [3, 4, 7, 60])
def test_no_id_reaches_vocab_size(level: str, vocab_size: int) -> None:
    tokenizer = fit(TEXTS, level=level, vocab_size=vocab_size)
    assert tokenizer.vocab_size <= vocab_size
    assert all(0 < each < tokenizer.vocab_size for ids in tokenizer.encode_all(TEXTS) for each in ids)


@pytest.mark.parametrize("level", LEVELS)
def test_ids_are_those_of_the_tokens(level: str) -> None:
    tokenizer = fit(TEXTS, level=level, vocab_size=40)
    for text in [*TEXTS, "☂ new words"]:
        expected = [tokenizer.vocab.index(token) if token in tokenizer.vocab else 1 for token in tokenizer.tokens(text)]
        assert tokenizer.encode(text) == expected


@pytest.mark.parametrize("level", LEVELS)
def test_a_text_without_tokens_is_one_unknown_token(level: str) -> None:
    tokenizer = fit(TEXTS, level=level)
    assert tokenizer.encode("") == [1]
    assert tokenizer.tokens("") == []
    assert not tokenizer.knows(tokenizer.encode(""))


@pytest.mark.parametrize("level", LEVELS)
def test_without_texts_all_is_unknown(level: str) -> None:
    tokenizer = fit([], level=level)
    assert 1 in tokenizer.encode("film") and not tokenizer.knows(tokenizer.encode("a film."))


def test_knows_tells_a_text_of_unknown_words_only() -> None:
    tokenizer = fit(TEXTS)
    assert tokenizer.knows(tokenizer.encode("unseen film"))
    assert not tokenizer.knows(tokenizer.encode("unseen words"))


@pytest.mark.parametrize("level", ["char", "subword"])
def test_known_spaces_make_no_known_text(level: str) -> None:
    tokenizer = fit(TEXTS, level=level)
    assert 1 != max(tokenizer.encode("☂ ☂"))
    assert not tokenizer.knows(tokenizer.encode("☂ ☂"))
    assert tokenizer.knows(tokenizer.encode("☂ f"))


@pytest.mark.parametrize("level", ["word", "subword"])
@pytest.mark.parametrize("lowercase", [True, False])
def test_a_word_written_as_the_unknown_token_is_unknown(level: str, lowercase: bool) -> None:
    tokenizer = fit(["good <OOV> good <OOV> <OOV> film"], level=level, lowercase=lowercase, filters="")
    assert tokenizer.vocab.count("<OOV>") == 1 and "<oov>" not in tokenizer.vocab
    assert tokenizer.encode("<OOV>") == [1]
    ids = tokenizer.encode("good <OOV> film")
    assert ids.count(1) == 1 and 1 not in (ids[0], ids[-1])


@pytest.mark.parametrize(
    ("truncate", "max_length", "expected"),
    [
        ("head", 3, "abc"),
        ("tail", 3, "efg"),
        ("both", 4, "abfg"),
        ("both", 3, "abg"),
        ("both", 1, "a"),
        ("both", 7, "abcdefg"),
        ("head", 9, "abcdefg"),
    ],
)
def test_truncation(truncate: str, max_length: int, expected: str) -> None:
    tokenizer = fit(["a b c d e f g"], truncate=truncate, max_length=max_length)
    assert "".join(tokenizer.vocab[each] for each in tokenizer.encode("a b c d e f g")) == expected


def test_word_filters_make_spaces_and_may_go_beyond_ascii() -> None:
    assert fit([], splitting="ascii").tokens("It's GREAT,really\t(good)\u00a0x") == [
        "it's",
        "great",
        "really",
        "good",
        "\u00a0x",
    ]
    assert fit([], filters="—e", splitting="ascii").tokens("one—two, É") == ["on", "two,", "é"]


def test_filters_see_lower_case_letters_when_texts_are_lower_cased() -> None:
    assert fit([], filters="X").tokens("aXb xXx") == ["axb", "xxx"]
    assert fit([], filters="x").tokens("aXb") == ["a", "b"]
    assert fit([], filters="x", lowercase=False).tokens("aXb xX") == ["aXb", "X"]


def test_characters_are_code_points_and_spaces_count() -> None:
    assert fit([], level="char").tokens("Ab, ☃!") == ["a", "b", ",", " ", "☃", "!"]
    assert fit([], level="char", filters=",").tokens("a,") == ["a", " "]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One.  Two!Three? Four", ["one.", "two!three?", "four"]),
        ("Version 3.5 of rnn.org. Yes", ["version 3.5 of rnn.org.", "yes"]),
        ('He said "go." Then… nothing\nNew line', ['he said "go."', "then…", "nothing", "new line"]),
        ("好。真的吗？！是", ["好。", "真的吗？！", "是"]),
        ("  \n . \r\n", ["."]),
        ("Wide   white\tspace", ["wide white space"]),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert fit([], level="sentence", splitting="ascii").tokens(text) == sentences


def test_filtering_marks_makes_sentences_equal_without_joining_them() -> None:
    assert fit([], level="sentence", filters=".!,").tokens("So, good. So good!") == ["so good", "so good"]


def test_subword_pieces_spell_the_text() -> None:
    tokenizer = fit(["lower lowest newer newest wider widest"] * 5, level="subword", vocab_size=40)
    pieces = tokenizer.tokens("Lowest, newer ☃")
    assert "".join(pieces).replace("▁", " ").split() == ["lowest,", "newer", "☃"]
    assert len(pieces) < len("lowest, newer ☃")  # something was merged
    assert tokenizer.encode("☃")[-1] == 1


def test_subword_keeps_the_most_frequent_characters() -> None:
    assert fit(["aaa bb c"], level="subword", vocab_size=5).vocab == ("", "<OOV>", "a", "b", "▁")


@pytest.mark.parametrize("level", LEVELS)
def test_fitting_is_deterministic_across_processes(level: str) -> None:
    code = (
        "from rnn_cli.text.tokenizer import Tokenizer\n"
        "texts = [f'{chr(97 + i * j % 26)}{chr(945 + i + j)} {i}' for i in range(30) for j in range(9)]\n"
        f"print(Tokenizer.fit(texts, level={level!r}, vocab_size=50).to_json())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_lone_surrogates_are_read_as_question_marks() -> None:
    assert fit([], level="char").tokens("a\ud800") == ["a", "?"]
    assert fit([]).tokens("a\ud800é") == ["a", "é"]


def test_the_word_level_imports_no_library() -> None:
    code = (
        "import sys; from rnn_cli.text.tokenizer import Tokenizer; Tokenizer.fit(['a']).encode('a');"
        "print(sorted({'numpy', 'pydantic', 'yaml', 'tokenizers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_subword_without_its_library_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    monkeypatch.delitem(sys.modules, "rnn_cli.text.subword", raising=False)
    monkeypatch.delattr("rnn_cli.text.subword", raising=False)
    with pytest.raises(UsageError, match=r"needs the library tokenizers, .*pip install 'rnn-cli\[subword\]'"):
        fit(TEXTS, level="subword")
