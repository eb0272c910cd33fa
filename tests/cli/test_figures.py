"""How good a model of hundreds of labels is, shown on a page or two."""

from typing import Any

import numpy as np
import pytest

from rnn_cli.cli import show_metrics
from rnn_cli.evaluation.metrics import measure


@pytest.mark.parametrize(("labels", "lines"), [(12, 12), (60, 20)])
def test_of_many_labels_the_worst_are_shown(labels: int, lines: int, capsys: pytest.CaptureFixture[Any]) -> None:
    chance = np.random.default_rng(1)
    truth = np.repeat(np.arange(labels - 1), 5)  # the last label has no row
    predicted = np.where(chance.random(len(truth)) < 0.7, truth, chance.integers(0, labels, len(truth)))
    names = [f"label{place:02}" for place in range(labels)]
    found = measure(names, truth, np.full((len(truth), labels), 1 / labels), predicted)
    show_metrics._show_by_label(found.per_class)
    shown = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in shown if line.startswith("label0") or line.startswith("label1")]
    told = [line for line in shown if line.startswith("The 20 labels of the least F1; rnn evaluate --json has all 60.")]
    assert len([line for line in shown[2:] if line.startswith("label")]) == lines and bool(told) == (labels == 60)
    assert rows
    worst = sorted(found.per_class[name].f1 for name in names[:-1])[:lines]
    if labels == 60:
        assert f"label{labels - 1}" not in " ".join(shown), "it was not put to the test"
        assert [found.per_class[line.split()[0]].f1 for line in shown[2:-1]] == worst
    show_metrics._show_confusion(found)
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("true \\ predicted" if labels == 12 else "true ")
    assert len(shown) <= max(labels, show_metrics.CONFUSIONS) + 3 and max(map(len, shown)) < 200
