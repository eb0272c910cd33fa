import pytest

from rnn_cli.data.rows import Dataset


def made(pairs, name="x", first=2):
    return Dataset(name, [t for t, _ in pairs], [c for _, c in pairs], list(range(first, first + len(pairs))))


def test_select_keeps_the_rows_and_their_lines_in_the_order_asked():
    chosen = made([("a", "1"), ("b", "2"), ("c", "3")]).select([2, 0])
    assert (chosen.texts, chosen.labels, chosen.lines, chosen.name) == (["c", "a"], ["3", "1"], [4, 2], "x")
    assert len(chosen) == 2


def test_fingerprint_depends_on_texts_and_labels_only():
    pairs = [("a", "1"), ("b", "2")]
    assert made(pairs).fingerprint() == made(pairs, name="y", first=9).fingerprint()
    assert len(made(pairs).fingerprint()) == 64


@pytest.mark.parametrize(
    "other", [[("b", "2"), ("a", "1")], [("a", "1")], [("a1", ""), ("b", "2")], [("a", "1b"), ("", "2")]]
)
def test_fingerprint_tells_every_difference(other):
    assert made([("a", "1"), ("b", "2")]).fingerprint() != made(other).fingerprint()
