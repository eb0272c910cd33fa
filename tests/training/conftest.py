"""What tests of training share."""

from pathlib import Path

import pytest


@pytest.fixture
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs write no report and no card, which takes longer than training a tiny network."""
    monkeypatch.setattr("rnn_cli.training.finish.documents", lambda *_: {})


@pytest.fixture
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run writes runs/latest where it stands."""
    monkeypatch.chdir(tmp_path)
