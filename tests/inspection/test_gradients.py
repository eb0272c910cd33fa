from pathlib import Path

import keras
import numpy as np
import pytest

from rnn_cli.config.schema import Config, ModelConfig
from rnn_cli.inspection import gradients
from rnn_cli.inspection.decay import Decay, Lesson, left
from rnn_cli.inspection.gradients import gradient_norms, measure_gradients, simplest, token_gradient
from rnn_cli.inspection.picture import save_picture
from rnn_cli.network.build import build
from rnn_cli.training.encoding import Encoded
from rnn_cli.training.listener import Listener
from rnn_cli.training.prepare import prepare

TEXTS = Encoded([[2, 3, 4, 5], [6, 7, 8], [9, 2, 4, 6]], np.array([0, 1, 1]), np.ones(3, np.float32))


def small(cell: str, classes: int) -> keras.Model:
    config = simplest(ModelConfig(embedding_dim=3, units=[4, 9]), cell)
    return build(config, vocab_size=10, classes=classes, seed=3)


def loss(model: keras.Model, table: np.ndarray, ids: list[int], vectors: np.ndarray, true: int) -> float:
    """The loss of one text whose tokens' vectors are these, by giving each place a row of its own."""
    table = table.copy()
    table[1 : len(ids) + 1] = vectors
    model.get_layer("embedding").set_weights([table])
    answer = np.asarray(model(np.arange(1, len(ids) + 1, dtype=np.int32)[None]), np.float64)[0]
    return float(-np.log((answer[0] if true else 1 - answer[0]) if len(answer) == 1 else answer[true]))


@pytest.mark.parametrize(("cell", "classes"), [("rnn", 2), ("gru", 2), ("lstm", 3)])
def test_gradients_agree_with_finite_differences(cell: str, classes: int) -> None:
    model = small(cell, classes)
    (table,) = model.get_layer("embedding").get_weights()
    table *= 10  # where the cells are far from linear
    model.get_layer("embedding").set_weights([table])
    found = gradient_norms(token_gradient(model), TEXTS)
    assert found.shape == (3, 3)
    for row, (ids, true) in enumerate(zip(TEXTS.sequences, TEXTS.classes, strict=True)):
        vectors, slopes = table[ids], np.zeros((len(ids), 3))
        for place in np.ndindex(slopes.shape):
            step = np.zeros_like(vectors)
            step[place] = 0.02
            up, down = (loss(model, table, ids, vectors + each, int(true)) for each in (step, -step))
            slopes[place] = (up - down) / 0.04
        by_distance = np.linalg.norm(slopes, axis=1)[::-1][:3]
        np.testing.assert_allclose(found[row], by_distance, rtol=0.02, atol=2e-5)


def test_the_mean_is_the_typical_text_s_and_relative_to_the_last_token() -> None:
    norms = np.array([[1.0, 0.1, 0.0, np.inf], [100.0, 1.0, 1.0, 1.0]])
    np.testing.assert_allclose(left(norms), [1, 0.1**0.5 / 10, 0, np.inf], rtol=1e-6)


@pytest.fixture
def one_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain cell alone, which is soon measured."""
    monkeypatch.setattr(gradients, "MEASURED_CELLS", ("rnn",))


def lesson(labelled_file: Path, tiny: dict[str, dict[str, object]], listener: Listener, **asked: float) -> Lesson:
    config = Config.model_validate(tiny | {"data": {"source": str(labelled_file)}})
    settings = {"texts": 9, "steps": 0, "scale": 1.0} | asked
    return measure_gradients(prepare(config, listener), **settings, listener=listener)  # type: ignore[arg-type]


@pytest.mark.usefixtures("one_cell")
def test_a_lesson_is_told_of_long_texts_and_twice_the_same(
    labelled_file: Path, tiny: dict[str, dict[str, object]], listener: Listener
) -> None:
    first, second = (lesson(labelled_file, tiny, listener, steps=2) for _ in range(2))
    assert first.to_dict() == second.to_dict()
    assert (first.texts, first.tokens, first.units, first.unit) == (9, 12, 6, "word")
    assert first.marks == [0, 1, 2, 5, 10, 11]
    for decay in first.decays:
        assert decay.trained is not None and decay.untrained[0] == decay.trained[0] == 1
        assert not np.array_equal(decay.untrained, decay.trained)


@pytest.mark.usefixtures("one_cell")
def test_recurrent_weights_decide_whether_gradients_vanish_or_explode(
    labelled_file: Path, tiny: dict[str, dict[str, object]], listener: Listener
) -> None:
    small, large = (lesson(labelled_file, tiny, listener, scale=scale).decays[0] for scale in (0.3, 3.0))
    # Keras draws an orthogonal matrix: near zero, where tanh is straight, each step multiplies by the scale.
    np.testing.assert_allclose(small.untrained[10] / small.untrained[5], 0.3**5, rtol=0.5)
    assert small.trained is None
    assert large.untrained[10] > 10


@pytest.mark.usefixtures("one_cell")
def test_no_more_than_a_quarter_of_few_texts_is_taken(
    labelled_file: Path, tiny: dict[str, dict[str, object]], listener: Listener
) -> None:
    assert lesson(labelled_file, tiny, listener, texts=1_000).texts == 16  # of 64 training rows


def test_the_chart_is_a_whole_png(tmp_path: Path) -> None:
    curve = np.geomspace(1, 1e-30, 50)
    decays = (Decay("rnn", curve, None), Decay("lstm", np.append(curve[:48], [0, np.inf]), curve**0.1))
    save_picture(Lesson("a$b$\x07\n名.csv", "word", 3, 50, 4, 2.0, 5, decays), tmp_path / "chart.png", force=False)
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert (tmp_path / "chart.png").read_bytes().endswith(b"IEND\xaeB`\x82")
    assert [file.name for file in tmp_path.iterdir()] == ["chart.png"]
