"""A server of a model of ordered labels, and its client: the predictor's answers."""

from pathlib import Path

import pytest

from rnn_cli.client import Client
from rnn_cli.errors import UsageError
from rnn_cli.scoring.prediction import OrderedPrediction
from rnn_cli.scoring.predictor import Predictor
from tests.conftest import rated_rows
from tests.serving.test_several import running


def test_the_client_gives_the_predictor_s_answers(trained_ordered: Path, tmp_path: Path) -> None:
    texts = [text for text, _ in rated_rows(12)]
    predictor = Predictor.open(trained_ordered)
    with running(tmp_path, "--model", str(trained_ordered)) as server, Client(server.url) as client:
        assert client.ordered and not client.several
        assert client.about["decision"]["choice"] == "balanced"
        assert client.about["figures"]["mean_absolute_error"] >= 0
        found = client.predict(texts)
        assert found == predictor.predict(texts)
        assert all(isinstance(each, OrderedPrediction) for each in found)
        assert client.predict(texts, 0.8) == predictor.predict(texts, 0.8)
        with pytest.raises(UsageError, match=r"validation rows cannot vouch .* the most is 0\.9"):
            client.predict(texts, 0.9999)
        (ours,), (theirs,) = predictor.explain(texts[:1]), client.explain(texts[:1])
        assert [part.weight for part in theirs] == pytest.approx([part.weight for part in ours])
