"""The history of a run: one writer, one reader, one rule for the best epoch."""

from pathlib import Path
from typing import Any

import pytest

from rnn_cli.bundle.history import EpochMetrics, best_epoch, check_history, history_to_csv, read_history
from rnn_cli.bundle.model_folder import HISTORY, Bundle
from rnn_cli.config.schema import TrainingConfig
from rnn_cli.errors import BundleError
from tests.forge import Forged


def epoch(number: int, val_loss: float, val_accuracy: float) -> EpochMetrics:
    return EpochMetrics(number, 0.1 + 0.2, 1 / 3, val_loss, val_accuracy, 1e-05, 0.7, 0.0, 2.0)


EPOCHS = [epoch(1, 0.9, 0.5), epoch(2, 0.4, 0.7), epoch(3, 0.4, 0.9), epoch(4, 0.8, 0.9)]


@pytest.mark.parametrize(
    ("stopping", "best"), [(None, 2), ({"monitor": "loss"}, 2), ({"monitor": "accuracy"}, 3)], ids=str
)
def test_the_best_epoch_is_the_first_of_equals(stopping: dict[str, Any] | None, best: int) -> None:
    config = TrainingConfig.model_validate({"early_stopping": stopping})
    assert best_epoch(EPOCHS, config).epoch == best


def test_what_is_written_is_read_again_to_the_last_digit(trained: Path, tmp_path: Path) -> None:
    copy = Forged(trained, tmp_path / "copy")
    copy.write(HISTORY, history_to_csv(EPOCHS))
    assert read_history(Bundle.open(copy.path)) == tuple(EPOCHS)


def test_a_run_keeps_the_history_of_all_its_epochs(trained: Path) -> None:
    history = read_history(Bundle.open(trained))
    assert [each.epoch for each in history] == list(range(1, 13))
    assert history_to_csv(history).encode() == (trained / HISTORY).read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "epoch\n1\n",
        history_to_csv([]),
        history_to_csv([epoch(2, 0.5, 0.5)]),
        history_to_csv([epoch(1, float("nan"), 0.5)]),
        history_to_csv([epoch(1, float("inf"), 0.5)]),
        history_to_csv(EPOCHS).replace("0.4", "half"),
    ],
)
def test_another_history_is_refused(content: str, trained: Path, tmp_path: Path) -> None:
    copy = Forged(trained, tmp_path / "copy")
    copy.write(HISTORY, content)
    with pytest.raises(BundleError, match="not a history this rnn understands"):
        read_history(Bundle.open(copy.path))


@pytest.mark.parametrize("value", [True, "1", None])
def test_a_metric_is_a_number(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        check_history([epoch(1, value, 0.5)])
