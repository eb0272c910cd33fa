import pytest

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.source import load_rows
from rnn_cli.data.splits import load_splits
from rnn_cli.errors import DataError


def csv_of(pairs):
    return "text,label\n" + "".join(f"{text},{label}\n" for text, label in pairs)


def rows_of(dataset):
    return list(zip(dataset.texts, dataset.labels, strict=True))


PAIRS = [(f"text {n}", ("no", "yes")[n % 2]) for n in range(100)]


def test_sides_share_no_row_and_keep_the_files_order(write):
    path = write("rows.csv", csv_of(PAIRS))
    splits = load_splits(DataConfig(source=path))
    sides = [splits.train, splits.validation, splits.test]
    assert [len(side) for side in sides] == [80, 10, 10]
    assert sorted(row for side in sides for row in rows_of(side)) == sorted(PAIRS)
    for side in sides:
        assert side.lines == sorted(side.lines) and side.name == path
        assert [PAIRS[line - 2] for line in side.lines] == rows_of(side)
    assert splits.warnings == () and splits.fingerprint == load_rows(path).fingerprint()


def test_spellings_of_one_label_are_told(write):
    spelt = [(text, f"{label} " if n < 4 else label) for n, (text, label) in enumerate(PAIRS)]
    path = write("rows.csv", csv_of(spelt))
    told = "2 labels look like another spelling of one: 'no ' for 'no', 'yes ' for 'yes'"
    assert load_splits(DataConfig(source=path)).warnings == (f"{path}: {told}; each is learned as a label of its own",)


def test_the_split_seed_chooses_the_rows(write):
    path = write("rows.csv", csv_of(PAIRS))
    tests = [set(load_splits(DataConfig(source=path, split_seed=seed)).test.texts) for seed in (1, 2)]
    assert tests[0] != tests[1]


def test_the_test_rows_do_not_depend_on_the_validation_share(write):
    path = write("rows.csv", csv_of(PAIRS))
    tests = [load_splits(DataConfig(source=path, validation=share)).test.texts for share in (0.1, 0.5)]
    assert tests[0] == tests[1]


def test_no_test_rows_when_none_are_asked_for(write):
    splits = load_splits(DataConfig(source=write("rows.csv", csv_of(PAIRS)), test=0))
    assert len(splits.test) == 0 and len(splits.train) == 90


def test_files_of_their_own(write):
    source = write("rows.csv", csv_of(PAIRS))
    validation = write("validation.csv", csv_of([("new", "yes"), ("text 3", "yes")]))
    test = write("test.jsonl", '{"text": "other", "label": "no"}\n')
    splits = load_splits(DataConfig(source=source, validation=validation, test=test))
    assert rows_of(splits.train) == PAIRS
    assert rows_of(splits.validation) == [("new", "yes"), ("text 3", "yes")] and splits.validation.name == validation
    assert rows_of(splits.test) == [("other", "no")]
    assert splits.warnings == (f"{validation}: 1 of 2 validation rows repeats a training text",)
    assert splits.fingerprint != load_rows(source).fingerprint()
    swapped = load_splits(DataConfig(source=source, validation=test, test=validation))
    assert swapped.fingerprint != splits.fingerprint


def test_one_file_and_one_share(write):
    source = write("rows.csv", csv_of(PAIRS))
    test = write("test.csv", csv_of([("other", "no")]))
    splits = load_splits(DataConfig(source=source, test=test))
    assert [len(side) for side in (splits.train, splits.validation, splits.test)] == [90, 10, 1]


def test_files_are_read_as_the_source_is(write):
    content = "a;b\ncaf\xe9 {};x\ncaf\xe9 {};y\n".encode("latin-1")
    source, validation = (
        write("s.csv", content.replace(b"{}", b"1")),
        write("v.csv", content.replace(b"{}", b"2")),
    )
    config = DataConfig(
        source=source,
        validation=validation,
        test=0,
        text_column="a",
        label_column="b",
        delimiter=";",
        encoding="latin-1",
    )
    assert load_splits(config).validation.texts == ["caf\xe9 2", "caf\xe9 2"]


def test_one_row_repeats(write):
    path = write("rows.csv", csv_of([*PAIRS, PAIRS[0]]))
    assert load_splits(DataConfig(source=path)).warnings == (
        f"{path}: 1 of 101 rows repeats an earlier text (kept on one side)",
    )


def test_duplicates_are_counted_and_stay_together(write):
    pairs = PAIRS + PAIRS[:10] + [("text 0", "yes")]
    path = write("rows.csv", csv_of(pairs))
    splits = load_splits(DataConfig(source=path))
    assert splits.warnings == (
        f"{path}: 11 of 111 rows repeat an earlier text (kept on one side)",
        f"{path}: texts with more than one label: 1, first at line 2",
    )
    texts = [set(side.texts) for side in (splits.train, splits.validation, splits.test)]
    assert not (texts[0] & texts[1] or texts[0] & texts[2] or texts[1] & texts[2])


@pytest.mark.parametrize(
    ("pairs", "what", "hint"),
    [
        ([(f"text {n}", "yes") for n in range(50)], "every row has the label 'yes'", "at least two labels"),
        (PAIRS[:8], "8 rows are too few for a test share of 0.1", "test=SHARE"),
        (PAIRS[:2], "2 rows are too few for a test share of 0.1", "add rows"),
        (PAIRS[:2] * 40, "80 rows of 2 different texts are too few for a test share of 0.1", "add rows"),
    ],
)
def test_data_that_cannot_be_trained_on(write, pairs, what, hint):
    path = write("rows.csv", csv_of(pairs))
    with pytest.raises(DataError) as caught:
        load_splits(DataConfig(source=path))
    assert caught.value.what == what and caught.value.where == path and hint in str(caught.value.hint)


def test_a_label_that_only_another_file_has(write):
    source = write("rows.csv", csv_of(PAIRS))
    test = write("test.csv", csv_of([("a", "no"), ("b", "maybe"), ("c", "maybe"), ("d", "never")]))
    with pytest.raises(DataError) as caught:
        load_splits(DataConfig(source=source, test=test))
    error = caught.value
    assert error.what == "no training row has the labels 'maybe', 'never'" and error.where == f"{test}:3"
    assert error.hint == "add training rows with them, or remove these test rows"


def test_a_file_that_repeats_dealt_test_rows_is_told(write):
    source = write("rows.csv", csv_of(PAIRS))
    dealt = load_splits(DataConfig(source=source, test=0.3)).test
    validation = write("validation.csv", csv_of(zip(dealt.texts, dealt.labels, strict=True)))
    splits = load_splits(DataConfig(source=source, validation=validation, test=0.3))
    assert any(f"{len(dealt)} of {len(dealt)} test rows repeat a validation text" in each for each in splits.warnings)


def test_texts_of_one_pattern_are_split_all_the_same(tmp_path):
    """They are all near copies of each other, so that no side could do without them."""
    words = [f"the parcel number {number} has not come to our house in the green street yet" for number in range(60)]
    rows = "".join(f"{text},{'late' if number % 2 else 'lost'}\n" for number, text in enumerate(words))
    (tmp_path / "rows.csv").write_text("text,label\n" + rows)
    splits = load_splits(DataConfig(source=str(tmp_path / "rows.csv"), validation=0.2, test=0.2))
    assert [len(side) for side in (splits.train, splits.validation, splits.test)] == [36, 12, 12]
    assert any(
        "59 of 60 rows nearly repeat an earlier text (too many to keep on one side" in each for each in splits.warnings
    )
