"""Padding: every id stays where it was, zeros fill the rest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_cli.text.padding import Ragged, pad

IDS = st.integers(0, 2**31 - 1)


@given(st.lists(st.lists(IDS)))
def test_ids_stay_and_zeros_follow(sequences: list[list[int]]) -> None:
    padded = pad(sequences)
    longest = max(map(len, sequences), default=0)
    assert padded.dtype == np.int32
    assert padded.shape == (len(sequences), longest)
    assert padded.tolist() == [ids + [0] * (longest - len(ids)) for ids in sequences]


@given(st.lists(st.lists(IDS, min_size=1), min_size=1), st.randoms())
def test_the_order_of_rows_changes_no_row(sequences: list[list[int]], random: object) -> None:
    order = list(range(len(sequences)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert (pad([sequences[index] for index in order]) == pad(sequences)[order]).all()


def test_arrays_and_tuples_are_sequences_too() -> None:
    assert pad([np.array([3, 4]), (5,)]).tolist() == [[3, 4], [5, 0]]  # type: ignore[list-item]


def test_an_id_too_large_is_an_error() -> None:
    with pytest.raises(OverflowError):
        pad([[2**31]])


@given(st.lists(st.lists(IDS, min_size=1), min_size=1), st.data())
def test_some_texts_are_padded_as_if_they_were_alone(sequences: list[list[int]], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, len(sequences) - 1)))
    assert (Ragged(sequences).padded(np.array(rows, np.intp)) == pad([sequences[row] for row in rows])).all()


@given(st.lists(st.lists(IDS, min_size=1)))
def test_a_text_is_marked_if_one_of_its_ids_is(sequences: list[list[int]]) -> None:
    ragged = Ragged(sequences)
    assert ragged.any(ragged.ids > 1000).tolist() == [max(ids) > 1000 for ids in sequences]
