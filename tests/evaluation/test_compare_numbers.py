"""Models of numbers, compared on the same rows."""

import numpy as np
import pytest

from rnn_cli.errors import DataError
from rnn_cli.evaluation.compare import LabelledPredictions, holm
from rnn_cli.evaluation.compare_numbers import are_numbers, compare_models_of_numbers
from rnn_cli.evaluation.numbers import compare_numbers


def predictions(name: str, truth: np.ndarray, found: np.ndarray, *, number: bool = True) -> LabelledPredictions:
    keys = {"text": [f"text {row}" for row in range(len(truth))]}
    return LabelledPredictions(
        name, keys, [*map(str, truth)], [repr(float(each)) for each in found], None, None, number
    )


def test_each_is_compared_with_the_first_whatever_the_order_of_rows() -> None:
    chance = np.random.default_rng(2)
    truth = np.round(chance.normal(20, 5, 80), 1)
    given = [truth + chance.normal(0, each, 80) for each in (2.0, 1.0, 2.1)]
    order = chance.permutation(80)
    every = [predictions(name, truth, each) for name, each in zip("abc", given, strict=True)]
    every[2] = every[2].select(order.tolist())
    found = compare_models_of_numbers(every)
    pairs = [compare_numbers(truth, each, given[0]) for each in given[1:]]
    for one, each in zip(found.models[1:], pairs, strict=True):
        assert one.against_first is not None
        assert one.against_first.error_difference == pytest.approx(each.error_difference)
        assert one.against_first.error_interval == pytest.approx(each.error_interval)
    assert [each.p_corrected for each in found.models][1:] == pytest.approx(
        holm([each.error_p_value for each in pairs]), abs=0.02
    )
    assert found.models[0].against_first is None and found.models[1].against_first.error_difference < 0
    assert found.models[0].mean_absolute_error == pytest.approx(np.abs(given[0] - truth).mean())
    assert "<table" in found._repr_html_() and found.to_dict()["models"][1]["name"] == "b"


def test_files_of_whole_numbers_may_be_labels() -> None:
    truth = np.array([1, 2, 3, 4])
    whole = LabelledPredictions("a", {"id": [*"abcd"]}, [*map(str, truth)], [*"1234"], None)
    assert not are_numbers([whole, whole])
    assert are_numbers([whole, predictions("b", truth, truth + 0.5, number=False)])
    words = LabelledPredictions("c", {"text": [f"text {row}" for row in range(4)]}, [*map(str, truth)], ["x"] * 4, None)
    assert not are_numbers([whole, words])
    with pytest.raises(DataError, match="predicts 'x', which is no number"):
        compare_models_of_numbers([predictions("a", truth, truth), words])
