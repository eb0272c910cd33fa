"""Probabilities that mean what they say: one number, the temperature, by which all logits are divided.

Knows nothing of how the probabilities came about.
"""

import numpy as np

from rnn_cli.evaluation.losses import Numbers, Rows, brier_scores, calibration_error, log_losses


def before_and_after(
    truth: Rows, probabilities: Numbers, answers: Rows, temperature: float
) -> dict[str, dict[str, float]]:
    """Log loss, Brier score and ECE of the answers `[rows]`, without the temperature and with it.

    The probabilities, `[rows, labels]`, are those with it.
    """
    return {
        name: {
            "log_loss": float(log_losses(truth, each).mean()),
            "brier": float(brier_scores(truth, each).mean()),
            "ece": calibration_error(truth, each, answers),
        }
        for name, each in (("before", tempered(probabilities, 1 / temperature)), ("after", probabilities))
    }


def tempered(probabilities: Numbers, temperature: float) -> Numbers:
    """What probabilities `[rows, labels]` become when the logits they were made of are divided by `temperature`."""
    logs = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny)) / temperature
    raised = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
