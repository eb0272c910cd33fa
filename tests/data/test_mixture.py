"""Several sources as one: their labels, weights, shares, and what goes wrong with them."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.mixture import load_mixture
from rnn_cli.data.rows import Dataset
from rnn_cli.data.splits import load_splits
from rnn_cli.data.unlabelled import load_unlabelled
from rnn_cli.errors import DataError

Write = Callable[[str, str], str]


def csv_of(name: str, count: int, labels: str = "ab", start: int = 0) -> str:
    rows = (f"{name} says {n} of them,{labels[n % len(labels)]}" for n in range(start, start + count))
    return "text,label\n" + "\n".join(rows) + "\n"


def mixed(*sources: dict[str, Any], **more: Any) -> Dataset:
    config = DataConfig(sources=sources, **more)  # type: ignore[arg-type]
    assert config.sources is not None
    return load_mixture(config, config.sources)


def test_rows_keep_their_source_and_place(write: Write) -> None:
    one, two = write("one.csv", csv_of("one", 4)), write("two.csv", csv_of("two", 2))
    rows = mixed({"source": one}, {"source": two, "name": "other"})
    assert rows.sources == ["one.csv"] * 4 + ["other"] * 2
    assert rows.where(5) == f"{two}:3" and rows.name == "2 sources"
    assert rows.weights == [1.0] * 6
    assert rows.select([5, 0]).sources == ["other", "one.csv"]


def test_a_source_is_called_by_its_last_part() -> None:
    for source, name in (("x/reviews-?.csv", "reviews-?.csv"), ("s3://b/rows.csv?key=1", "rows.csv"), ("imdb", "imdb")):
        (config,) = DataConfig(sources=[{"source": source}]).sources or ()  # type: ignore[list-item]
        assert config.called == name


def test_a_map_renames_labels_and_leaves_rows_out(write: Write) -> None:
    path = write("rows.csv", csv_of("rows", 9, "012"))
    rows = mixed({"source": path, "labels": {0: "bad", 1: None, 2: "good"}})
    assert Counter(rows.labels) == {"bad": 3, "good": 3}
    assert rows.lines == [2, 4, 5, 7, 8, 10]
    others = mixed({"source": path, "labels": {"0": "bad", "*": "good"}})
    assert Counter(others.labels) == {"bad": 3, "good": 6}
    assert Counter(mixed({"source": path, "labels": {1: None}}).labels) == {"0": 3, "2": 3}
    assert set(mixed({"source": path, "labels": {1: None, "*": "x", 0: "y"}}).labels) == {"x", "y"}


def test_a_map_that_misses_a_label_is_an_error_with_counts(write: Write) -> None:
    path = write("rows.csv", csv_of("rows", 9, "012"))
    with pytest.raises(DataError, match=r"^rows.csv: labels that its map does not name: 2 \(3 rows\); add them"):
        mixed({"source": path, "labels": {0: "bad", 1: "good"}})
    with pytest.raises(DataError, match="its label map leaves no row"):
        mixed({"source": path, "labels": {"*": None}})
    unused = mixed({"source": path, "labels": {0: "a", 1: "b", 2: "b", 7: "b"}})
    assert unused.warnings == ("rows.csv: no row is labelled 7",)


def test_labels_that_no_other_source_has_deserve_a_look(write: Write) -> None:
    one, two = write("one.csv", csv_of("one", 4)), write("two.csv", csv_of("two", 4, "01"))
    told = mixed({"source": one}, {"source": two}).warnings
    assert told[1] == "two.csv: no other source has one of its labels (0, 1); labels can map them"
    assert mixed({"source": one}, {"source": two, "label": "c"}).warnings == (
        "one.csv: no other source has one of its labels (a, b); labels can map them",
    )


def test_of_a_built_in_set_nothing_says_how_it_is_read() -> None:
    with pytest.raises(DataError, match="^sample: a built-in set, of which label_column says nothing; leave it out$"):
        mixed({"source": "sample", "label_column": "label"})


def test_one_label_for_all_rows_of_a_source_without_labels(write: Write) -> None:
    path = write("facts.csv", "text,topic\nWater boils.,x\nSnow falls.,\n")
    assert mixed({"source": path, "label": "neutral"}).labels == ["neutral", "neutral"]
    assert set(mixed({"source": "sample", "label": "neutral"}).labels) == {"neutral"}


def test_weights_are_one_on_average_and_balance_labels(write: Write) -> None:
    one, two = write("one.csv", csv_of("one", 6, "aab")), write("two.csv", csv_of("two", 4))
    rows = mixed({"source": one, "balance": True}, {"source": two, "weight": 3})
    assert rows.weights is not None and sum(rows.weights) == pytest.approx(10)
    of = Counter[tuple[str, str]]()
    for source, label, weight in zip(rows.sources or (), rows.labels, rows.weights, strict=True):
        of[source, label] += weight  # type: ignore[assignment]
    assert of["one.csv", "a"] == pytest.approx(of["one.csv", "b"])
    assert of["two.csv", "a"] == pytest.approx(2 * of["one.csv", "a"])


def test_sources_weigh_alike_whatever_their_size(write: Write) -> None:
    one, two = write("one.csv", csv_of("one", 30)), write("two.csv", csv_of("two", 10))
    rows = mixed({"source": one}, {"source": two, "weight": 2}, balance="sources")
    assert rows.weights is not None and sum(rows.weights) == pytest.approx(40)
    assert sum(rows.weights[30:]) == pytest.approx(2 * sum(rows.weights[:30]))


def test_of_equal_texts_the_first_source_keeps_its_row(write: Write) -> None:
    one, two = write("one.csv", csv_of("same", 4)), write("two.csv", csv_of("same", 6, "ba"))
    rows = mixed({"source": one}, {"source": two})
    assert len(rows) == 6 and rows.labels == ["a", "b", "a", "b", "b", "a"]
    told = "two.csv: rows left out, as an earlier source has their text: 4; 4 of them with another label there"
    assert rows.warnings == (told,)


def test_an_optional_source_may_be_missing_and_another_may_not(write: Write) -> None:
    path = write("one.csv", csv_of("one", 4))
    rows = mixed({"source": path}, {"source": "gone.csv", "optional": True})
    assert len(rows) == 4 and rows.warnings == ("gone.csv is left out: no such file or built-in set",)
    with pytest.raises(DataError, match="^gone.csv: no such file"):
        mixed({"source": path}, {"source": "gone.csv"})
    with pytest.raises(DataError, match="none of the optional sources is there"):
        mixed({"source": "gone.csv", "optional": True})


def test_a_part_of_a_source_is_drawn_by_the_seed(write: Write) -> None:
    path = write("one.csv", csv_of("one", 50))
    drawn = [mixed({"source": path, "rows": 10}, split_seed=seed).texts for seed in (1, 1, 2)]
    assert len(drawn[0]) == 10 and drawn[0] == drawn[1] != drawn[2]


def test_each_source_is_on_each_side_and_some_only_teach(write: Write) -> None:
    names = {name: write(f"{name}.csv", csv_of(name, count)) for name, count in (("a", 200), ("b", 60), ("c", 40))}
    sources = [{"source": path, "validation": name != "c"} for name, path in names.items()]
    splits = load_splits(DataConfig(sources=sources), near=False)  # type: ignore[arg-type]
    count = {side: Counter(getattr(splits, side).sources) for side in ("train", "validation", "test")}
    assert count["validation"] == count["test"] == {"a.csv": 20, "b.csv": 6}
    assert count["train"] == {"a.csv": 160, "b.csv": 48, "c.csv": 40}
    assert load_splits(DataConfig(sources=sources), near=False) == splits  # type: ignore[arg-type]


def test_copies_of_a_source_that_only_teaches_are_not_measured_on(write: Write) -> None:
    told = [f"A long enough sentence about the number {n} and what it means to us,{'ab'[n % 2]}" for n in range(40)]
    near = [each.replace("us,", "us all,") for each in told]
    one = write("one.csv", "text,label\n" + "\n".join(told))
    two = write("two.csv", "text,label\n" + "\n".join(near))
    three = write("three.csv", csv_of("three", 40))
    sources = [{"source": one}, {"source": two, "validation": False}, {"source": three}]
    splits = load_splits(DataConfig(sources=sources))  # type: ignore[arg-type]
    assert set(splits.validation.sources or ()) == {"three.csv"} or splits.warnings


def test_unlabelled_sources_serve_the_vocabulary_alone(write: Write) -> None:
    one, more = write("one.csv", csv_of("one", 4)), write("more.csv", "text\nmore of it\nand more\n")
    sources = [
        {"source": one},
        {"source": more, "unlabelled": True},
        {"source": "gone.csv", "unlabelled": True, "optional": True},
    ]
    config = DataConfig(sources=sources)  # type: ignore[arg-type]
    rows = mixed(*sources)
    assert len(rows) == 4 and rows.warnings == ("gone.csv is left out: no such file or built-in set",)
    assert load_unlabelled(config, {"and more"}).texts == ["more of it"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"sources": [{"source": "a"}], "source": "b"}, "sources and source exclude each other"),
        ({"sources": [{"source": "a"}], "group_column": "b"}, "sources and group_column exclude each other"),
        (
            {"sources": [{"source": "x/a"}, {"source": "y/a"}]},
            "two sources are called a; give one",
        ),
        ({"sources": [{"source": "a", "label": "b", "labels": {"c": "d"}}]}, "label is that of all rows"),
        ({"sources": [{"source": "a", "unlabelled": True, "sentences": 2}]}, "unlabelled rows have no label"),
        ({"sources": [{"source": "-"}], "validation": "-"}, "can be read only once"),
        ({"sources": []}, "at least 1 item"),
    ],
)
def test_what_a_config_may_not_say(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DataConfig(**config)
