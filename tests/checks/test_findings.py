"""Each finding on rows that have it, and on rows that have not."""

from pathlib import Path

import pandas as pd
import pytest

import rnn_cli as rnn
from rnn_cli.checks.check import check_rows
from rnn_cli.checks.findings import Finding, Severity, worst_first
from rnn_cli.checks.labels import one_slip
from rnn_cli.checks.rows import WHOLE, CheckedRows, gather_rows
from rnn_cli.checks.scripts import script_of
from rnn_cli.config.load import parse_override
from rnn_cli.config.schema import Config
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import IN_MEMORY
from rnn_cli.errors import ConfigError, DataError

LONG = "the plot takes its time but the actors are a joy to watch from the first scene to the very last one of them"
SHORT = [f"text {number} about {word}" for number, word in enumerate("cats dogs rain snow wind bread salt".split())]


def dataset(*rows: tuple[str, str], name: str = "rows.csv") -> Dataset:
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    return Dataset(name, texts, labels, list(range(2, len(rows) + 2)))


def found(*rows: tuple[str, str], **sides: Dataset) -> dict[str, tuple[Finding, list[int]]]:
    """The findings by name, each with the lines of its rows."""
    checked = CheckedRows({WHOLE: dataset(*rows)} if rows else sides)
    report = check_rows("rows.csv", Config(), checked)
    return {each.name: (each, [checked.lines[hit.row] for hit in each.hits]) for each in report.findings}


def plain(*texts: str) -> list[tuple[str, str]]:
    """Rows without anything odd, and these texts, under both labels in turn."""
    return [(text, "ab"[place % 2]) for place, text in enumerate([*SHORT, *texts])]


def test_good_rows_are_not_blamed() -> None:
    assert set(found(*plain())) == {"rare labels"}


def test_duplicates_name_the_row_they_repeat() -> None:
    told = found(("so so", "a"), ("well made", "b"), ("so so", "a"), ("so so", "a"))
    finding, lines = told["duplicates"]
    assert lines == [4, 5]
    assert {hit.note for hit in finding.hits} == {"repeats line 2"}
    assert "contradicting labels" not in told


def test_near_duplicates_are_found_in_spite_of_case_marks_and_a_word() -> None:
    other = LONG.upper().replace("JOY", "pleasure") + "!!"
    told = found(*plain(LONG), (other, "b"))
    assert told["near duplicates"][1] == [10]
    assert "duplicates" not in told


def test_different_texts_of_common_words_are_no_near_duplicates() -> None:
    words = LONG.split()
    told = found((LONG, "a"), (" ".join(reversed(words)), "a"), (" ".join(sorted(words)), "b"))
    assert "near duplicates" not in told


def test_contradictions_say_who_says_what() -> None:
    told = found(("so so", "a"), ("so so", "b"), (LONG, "a"), (LONG + "!", "b"))
    finding, lines = told["contradicting labels"]
    assert (finding.severity, lines) == (Severity.ERROR, [2, 3])
    assert [hit.note for hit in finding.hits] == ["line 3 says b", "line 2 says a"]
    assert told["nearly contradicting labels"][1] == [4, 5]


def test_leaks_are_told_by_file_and_line() -> None:
    told = found(
        training=dataset(*plain(LONG, "only here"), name="train.csv"),
        test=dataset((SHORT[1], "a"), (LONG + "?", "b"), ("nothing like that", "a"), name="test.csv"),
    )
    exact, near = told["leaked texts"], told["nearly leaked texts"]
    assert (exact[1], [hit.note for hit in exact[0].hits]) == ([2], ["test; repeats train.csv:3 (training)"])
    assert near[1] == [3]
    assert exact[0].what.startswith("1 validation or test text is also on an earlier side")
    assert near[0].what.startswith("1 validation or test text is nearly the same as a text on an earlier side")
    assert "duplicates" not in told and "near duplicates" not in told


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("empty texts", "  \n"),
        ("spreadsheet errors", "#REF!"),
        ("spreadsheet errors", " #DIV/0! "),
        ("damaged characters", "the cafÃ© was closed"),
        ("damaged characters", "a dash \x97 of salt"),
        ("damaged characters", "lost \ufffd here"),
        ("HTML", "one<br />two"),
        ("HTML", "salt &amp; bread"),
        ("other scripts", "очень хороший фильм"),
        ("look-alike letters", "a nice p\u0430ypal offer"),
        ("look-alike letters", "the \u039dewest film"),
    ],
)
def test_a_spoiled_text_is_found_alone(name: str, text: str) -> None:
    assert found(*plain(text))[name][1] == [9]


def test_a_text_of_unknown_words_is_one_that_training_would_drop() -> None:
    told = found(training=dataset(*plain("?!, ...")), test=dataset(("quux frob", "a"), ("about cats", "b")))
    assert told["no known word"][1] == [9, 2]


@pytest.mark.parametrize(
    "text",
    [
        "the β-blocker, 5 µmol, Δt and λmax of АВС",
        "мир и peace, IT-специалист",
        "a café in Zürich",
        "5 < 6 & 7 > 2; it is so",
        "AT&T; well",
        "#name",
        "why does it say #REF! here?",
        "naïve “quotes” – and dashes…",
        "日本語のテキスト",
    ],
)
def test_a_sound_text_is_not_spoiled(text: str) -> None:
    assert not set(found(*plain(text))) & {
        "spreadsheet errors",
        "damaged characters",
        "HTML",
        "empty texts",
        "look-alike letters",
    }


def test_the_script_is_that_of_most_letters() -> None:
    assert (script_of("Das Wort мир"), script_of("слово and"), script_of("5 !")) == ("Latin", "Cyrillic", None)
    assert script_of("映画は退屈") == script_of("这部电影") == "Japanese or Chinese"


def test_look_alike_letters_are_told_by_their_number() -> None:
    (hit,) = found(*plain("a nice p\u0430ypal offer"))["look-alike letters"][0].hits
    assert hit.note == "'p\u0430ypal' has U+0430, a Cyrillic letter"
    (hit,) = found(*plain("хороший м\u0065сяц весь год"))["look-alike letters"][0].hits
    assert hit.note.endswith("has U+0065, a Latin letter")


def test_label_spellings_point_to_the_frequent_one() -> None:
    rows = [(f"{text} again {turn}", label) for turn in range(12) for text, label in zip(SHORT[:2], ["good", "bad"])]  # noqa: B905
    told = found(*rows, ("x y", "Good "), ("y z", "goood"), ("z a", "god1"))
    finding, lines = told["label spellings"]
    assert lines == [26] and finding.severity is Severity.ERROR
    assert {hit.note for hit in finding.hits} == {"for 'good'"}
    similar, lines = told["similar labels"]
    assert lines == [27] and similar.severity is Severity.NOTE and "leave them" in similar.hint


@pytest.mark.parametrize(
    ("labels", "lists"),
    [
        (["x", "y", "x#y", "y#x"], ["x#y", "y#x"]),
        (["x", "y", "x#y", "x,y"], ["x#y", "x,y"]),
        (["4", "27", "4,27", "1", "27,1"], ["27,1", "4,27"]),
        (["a", "b", "a|b"], ["a|b"]),
        (['["a"]', '["a", "b"]', "[]"], ['["a", "b"]', '["a"]', "[]"]),
        (["4", "5", "4,5", "3,0"], None),
        (["R&D", "sales"], None),
        (["n/a", "yes", "no"], None),
        (["black, white", "red, green"], None),
    ],
)
def test_labels_that_are_lists_of_labels(labels: list[str], lists: list[str] | None) -> None:
    told = found(*((f"text {place} of {label}", label) for label in labels for place in range(3)))
    lines = [2 + row for row in range(3 * len(labels)) if labels[row // 3] in (lists or [])]
    assert told["label lists"][1] == lines if lists else "label lists" not in told


@pytest.mark.parametrize(
    ("labels", "spellings"),
    [
        (("-1", "0", "1"), None),
        (("1.5", "15", "1-5"), None),
        (("7", "007"), None),
        (("1", "1.0", "1.50"), "'1.0' (1) for '1'"),
        (("caf\u00e9", "cafe\u0301"), r"'cafe\u0301' (1) for 'café'"),
        (("news", "news\u200b"), r"'news\u200b' (1) for 'news'"),
        (("3", "\uff13"), r"'\uff13' (1) for '3'"),
    ],
)
def test_label_spellings_are_those_of_one_value(labels: tuple[str, ...], spellings: str | None) -> None:
    rows = [(f"{text} again {turn}", labels[0]) for turn in range(12) for text in SHORT[:2]]
    told = found(*rows, *((f"other {label}", label) for label in labels[1:])).get("label spellings")
    assert (told and spellings in told[0].what) if spellings else told is None


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [("good", "god", True), ("good", "goodd", True), ("form", "from", True), ("good", "food", True)]
    + [("good", "good", False), ("typical", "untypical", False), ("abc", "cba", False)],
)
def test_one_slip(one: str, other: str, slip: bool) -> None:
    assert one_slip(one, other) is one_slip(other, one) is slip


def test_imbalance_tells_what_the_frequent_label_alone_reaches() -> None:
    rows = [(f"text {number}", "a" if number < 90 else "b") for number in range(100)]
    told = found(*rows)
    assert "right in 90.0%" in told["imbalance"][0].what
    assert told["rare labels"][1] == list(range(92, 102))


def test_rare_labels_are_quoted_where_they_hold_spaces_or_commas() -> None:
    what = found(("a b", "x"), ("c d", "on time"), ("e f", "so, so"), ("g h", "y"))["rare labels"][0].what
    assert what == "4 labels have fewer than 20 rows: x, 'on time', 'so, so', y."


def test_one_label_is_told_first() -> None:
    assert next(iter(found(("a b", "x"), ("c d", "x")))) == "one label"


def test_worst_first() -> None:
    findings = [Finding(name, severity, "", "") for name, severity in zip("abc", reversed(Severity), strict=True)]
    assert [each.name for each in worst_first(findings)] == ["c", "b", "a"]


def test_a_config_is_split_and_a_file_is_not(labelled_file: Path, tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text(f"data: {{source: {labelled_file}}}\n", encoding="utf-8")
    assert {name: len(side) for name, side in gather_rows(str(config))[1].sides.items()} == {
        "training": 64,
        "validation": 8,
        "test": 8,
    }
    assert set(gather_rows(str(labelled_file))[1].sides) == {WHOLE}
    assert set(gather_rows(str(labelled_file), [*map(parse_override, [f"data.test={labelled_file}"])])[1].sides) == {
        "training",
        "test",
    }


def test_what_is_no_source_is_told(labelled_file: Path) -> None:
    with pytest.raises(DataError, match="did you mean imdb"):
        gather_rows("imbd")
    with pytest.raises(ConfigError, match="no effect here"):
        gather_rows(str(labelled_file), [*map(parse_override, ["training.epochs=3"])])
    with pytest.raises(ConfigError, match="already named"):
        gather_rows(str(labelled_file), [*map(parse_override, ["data.source=imdb"])])


def test_texts_that_differ_in_typography_alone_are_equal() -> None:
    told = found(
        ("a “warm”\u00a0film…", "a"), ('a "warm" film...', "b"), ("a dull cafe\u0301", "a"), ("a dull café", "a")
    )
    assert told["contradicting labels"][1] == [2, 3]
    assert told["duplicates"][1] == [3, 5]
    told = found(
        training=dataset(("so\u00a0so", "a"), ("well made", "b")), test=dataset(("so so", "a"), name="test.csv")
    )
    assert told["leaked texts"][1] == [2]


@pytest.mark.parametrize(
    ("file", "unit"),
    [
        ("rows.csv", "line"),
        ("rows.jsonl.gz", "line"),
        ("-", "line"),
        ("rows.parquet", "row"),
        ("rows.xlsx", "row"),
        (IN_MEMORY, "row"),
        ("imdb", "row"),
    ],
)
def test_what_has_no_lines_has_rows(file: str, unit: str) -> None:
    rows = CheckedRows({"rows": dataset(("so so", "a"), ("so so", "b"), name=file)})
    assert rows.where(1) == f"{unit} 3"


def test_a_table_in_memory_is_told_by_its_rows() -> None:
    report = rnn.check(pd.DataFrame({"text": ["so so", *map(str, range(9))], "label": ["a", *"ababababa"]}))
    twice = rnn.check((["so so", "so so", *map(str, range(9))], ["a", "b", *"ababababa"]))
    assert "line" not in " ".join(hit.note for each in (*report.findings, *twice.findings) for hit in each.hits)
    assert any(hit.note == "row 2 says b" for each in twice.findings for hit in each.hits)
