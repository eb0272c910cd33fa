import pytest

from rnn_cli.data.reading.table import ReadRequest, find_columns, quoted_names
from rnn_cli.errors import DataError


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (["text", "label"], ("text", "label")),
        (["label", "text"], ("text", "label")),
        (["id", "Review", "SENTIMENT"], ("Review", "SENTIMENT")),
        ([" sentence ", "class"], (" sentence ", "class")),
        (["review", "text", "sentiment", "label"], ("text", "label")),
        (["", "tweet", "", "target"], ("tweet", "target")),
    ],
)
def test_columns_are_found_by_name(columns, found):
    assert find_columns(columns, ReadRequest("f")) == found


def test_named_columns_go_before_found_ones():
    columns = ["text", "review", "label", "stars"]
    assert find_columns(columns, ReadRequest("f", text_column="review")) == ("review", "label")
    assert find_columns(columns, ReadRequest("f", label_column="stars")) == ("text", "stars")
    assert find_columns(columns, ReadRequest("f", label_column="text")) == ("review", "text")


def test_without_labels_only_texts_are_looked_for():
    assert find_columns(["text"], ReadRequest("f", labels=False)) == ("text", None)
    assert find_columns(["text"], ReadRequest("f", labels=False, label_column="gone")) == ("text", None)


def test_a_message_stays_short_and_on_one_line():
    with pytest.raises(DataError) as caught:
        find_columns([f"column\n{number}" * 100 for number in range(500)], ReadRequest("f"))
    assert "and 480 more" in str(caught.value) and len(str(caught.value)) < 1500
    assert "\n" not in str(caught.value)
    assert quoted_names(["a", "b"]) == "'a', 'b'"
