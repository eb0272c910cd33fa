"""Runs of ordered labels: the order, the calibration, and a run that is interrupted."""

import numpy as np
import pytest

from rnn_cli.config.schema import Config
from rnn_cli.errors import ConfigError
from rnn_cli.evaluation.scores import log_losses
from rnn_cli.scoring.ordered import CalibrationOfOrdered, log_probabilities
from rnn_cli.training.calibration import fit_calibration, fit_matrix, fit_temperature
from rnn_cli.training.encoding import labels_in_order


def test_numbers_stand_by_value_and_words_as_named():
    assert labels_in_order(["10", "9", "1"], None) == ("1", "9", "10")
    assert labels_in_order(["good", "bad", "fair"], ["bad", "fair", "good", "great"]) == ("bad", "fair", "good")
    for labels, order, what in (
        (["a", "b", "c"], None, "order is not known"),
        (["a", "b", "c"], ["a", "b", "d"], "does not hold the label 'c'"),
        (["1", "2"], None, "3 labels or more"),
    ):
        with pytest.raises(ConfigError, match=what):
            labels_in_order(labels, order)


def test_ordered_labels_get_a_matrix_where_it_is_better_beyond_chance():
    chance = np.random.default_rng(5)
    truth = chance.integers(0, 4, 1_200)
    own = np.exp(log_probabilities(chance.normal(2 * (truth[:, None] - np.arange(3) - 0.5), 1.5)))
    config = Config.model_validate({"data": {"labels": "ordered"}})
    # The network confuses both ends, as far apart as they are.
    odd = np.where((chance.random(1_200) < 0.5)[:, None], own, own[:, ::-1])
    for probabilities in (own, odd):
        found = fit_calibration(truth, probabilities, config)
        assert isinstance(found.calibration, CalibrationOfOrdered) and found.trial is not None
        assert bool(found.calibration.matrix) == found.trial.is_won
    assert fit_calibration(truth[:100], own[:100], config).trial is None
    mixed = fit_matrix(truth, own, 1.0).of(own)
    plain = CalibrationOfOrdered(fit_temperature(truth, own, like=CalibrationOfOrdered())).of(own)
    assert log_losses(truth, mixed).mean() <= log_losses(truth, plain).mean() + 1e-3
