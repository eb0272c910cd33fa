"""What tests of training share."""

import pytest


@pytest.fixture
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs write no report and no card, which takes longer than training a tiny network."""
    monkeypatch.setattr("rnn_cli.training.run.documents", lambda *_: {})
