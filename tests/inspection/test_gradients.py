from pathlib import Path

import keras
import numpy as np
import pytest

from rnn_cli.config.schema import Config, ModelConfig
from rnn_cli.inspection import gradients
from rnn_cli.inspection.decay import Decay, Lesson, Spread
from rnn_cli.inspection.gradients import (
    SeededNetwork,
    gradient_norms,
    measure_gradients,
    simplest,
    start_weights,
    token_gradient,
)
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


def test_the_mean_is_geometric_and_relative_to_each_text_s_last_token() -> None:
    norms = np.array([[1.0, 0.1, 0.0, np.inf], [100.0, 1.0, 1.0, 1.0]])
    found = Spread.of(norms)
    np.testing.assert_allclose(found.mean, [1, 0.1**0.5 / 10, 0, np.inf], rtol=1e-6)
    np.testing.assert_allclose(found.low, [1, 0.01, 0, 0.01])
    np.testing.assert_allclose(found.high, [1, 0.1, 0.01, np.inf])


def test_the_band_holds_four_fifths_of_the_curves_however_few_networks_differ() -> None:
    curves = np.stack([np.ones(101), np.geomspace(1e-4, 1, 101)], axis=1)
    found = Spread.of(curves)
    assert ((curves[:, 1] >= found.low[1]) & (curves[:, 1] <= found.high[1])).mean() == pytest.approx(0.8, abs=0.01)
    assert found.mean[1] == pytest.approx(1e-2)
    assert found.low[1] < found.mean[1] < found.high[1]


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_all_cells_start_with_small_recurrent_weights_and_gates_that_keep(cell: str) -> None:
    weights = small(cell, 2).get_layer(f"{cell}_1").get_weights()
    kernel, recurrent, bias = start_weights(cell, weights, 5, 1.0)
    np.testing.assert_array_equal(kernel, weights[0])
    assert recurrent.shape == weights[1].shape
    assert 0.4 < np.abs(recurrent).max() <= 0.5  # one over the root of four units
    np.testing.assert_allclose(start_weights(cell, weights, 5, 3.0)[1], recurrent * 3, rtol=1e-6)
    assert not np.array_equal(start_weights(cell, weights, 6, 1.0)[1], recurrent)
    kept = {"rnn": [0.0] * 4, "gru": [1.0] * 8 + [0.0] * 8 + [0.0] * 8, "lstm": [0.0] * 4 + [1.0] * 4 + [0.0] * 8}
    assert bias.ravel().tolist() == kept[cell]


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_the_gates_that_start_open_are_those_that_keep_the_state(cell: str) -> None:
    model = small(cell, 2)
    layer = model.get_layer(f"{cell}_1")
    layer.set_weights(start_weights(cell, layer.get_weights(), 5, 1e-6))
    left = Spread.of(gradient_norms(token_gradient(model), TEXTS)).mean
    # With inputs and recurrent weights near zero each step multiplies by the gate: sigmoid(1).
    np.testing.assert_allclose(left[1:] / left[:-1], 1 / (1 + np.exp(-1)), rtol=0.1)


@pytest.fixture
def one_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain cell alone, which is soon measured."""
    monkeypatch.setattr(gradients, "MEASURED_CELLS", ("rnn",))


def lesson(labelled_file: Path, tiny: dict[str, dict[str, object]], listener: Listener, **asked: float) -> Lesson:
    config = Config.model_validate(tiny | {"data": {"source": str(labelled_file)}})
    settings = {"texts": 9, "seeds": 2, "steps": 0, "scale": 1.0} | asked
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
        assert decay.trained is not None and decay.untrained.mean[0] == decay.trained.mean[0] == 1
        assert not np.array_equal(decay.untrained.mean, decay.trained.mean)


def test_a_seed_s_network_knows_nothing_of_those_before(
    labelled_file: Path, tiny: dict[str, dict[str, object]], listener: Listener
) -> None:
    run = prepare(Config.model_validate(tiny | {"data": {"source": str(labelled_file)}}), listener)
    first, second = (SeededNetwork(simplest(run.config.model, "gru"), run) for _ in range(2))
    first.start(7, 1.0)
    first.train(3, 7)
    for network in (first, second):
        network.start(8, 1.0)
        network.train(3, 8)
    for one, other in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.usefixtures("one_cell")
def test_recurrent_weights_decide_whether_gradients_vanish_or_explode(
    labelled_file: Path, tiny: dict[str, dict[str, object]], listener: Listener
) -> None:
    small, large = (lesson(labelled_file, tiny, listener, scale=scale).decays[0] for scale in (0.3, 6.0))
    # Weights drawn evenly from ±1/√units have a spectral radius near 1/√3.
    np.testing.assert_allclose(small.untrained.mean[10] / small.untrained.mean[5], (0.3 / 3**0.5) ** 5, rtol=0.9)
    assert small.trained is None
    assert large.untrained.mean[10] > 10


@pytest.mark.usefixtures("one_cell")
def test_no_more_than_a_quarter_of_few_texts_is_taken(
    labelled_file: Path, tiny: dict[str, dict[str, object]], listener: Listener
) -> None:
    assert lesson(labelled_file, tiny, listener, texts=1_000).texts == 16  # of 64 training rows


def test_the_chart_is_a_whole_png(tmp_path: Path) -> None:
    curve = np.geomspace(1, 1e-30, 50)
    broken = np.append(curve[:48], [0, np.inf])
    falling, rising = Spread(curve, curve**2, curve**0.5), Spread(broken, np.zeros(50), np.full(50, np.inf))
    decays = (Decay("rnn", falling, None), Decay("lstm", rising, Spread(curve**0.1, curve**0.2, curve**0.05)))
    save_picture(Lesson("a$b$\x07\n名.csv", "word", 3, 50, 4, 2, 2.0, 5, decays), tmp_path / "chart.png", force=False)
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert (tmp_path / "chart.png").read_bytes().endswith(b"IEND\xaeB`\x82")
    assert [file.name for file in tmp_path.iterdir()] == ["chart.png"]


@pytest.mark.parametrize("seed", [1, *(pytest.param(each, marks=pytest.mark.slow) for each in (2, 3))])
def test_gates_keep_more_of_the_gradient_than_a_plain_cell_at_distance_100(
    tmp_path: Path, tiny: dict[str, dict[str, object]], listener: Listener, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    words = [f"word{index}" for index in range(40)]
    rows = [(" ".join(chance.choice(words, 105)), "good" if row % 2 else "bad") for row in range(48)]
    file = tmp_path / "long.csv"
    file.write_text("text,label\n" + "".join(f"{text} {label}ly,{label}\n" for text, label in rows), "utf-8")
    longer = tiny | {
        "tokenizer": {**tiny["tokenizer"], "max_length": 110},
        "model": {**tiny["model"], "units": [16]},
        "training": {**tiny["training"], "seed": seed},
    }
    found = lesson(file, longer, listener, seeds=3, steps=6)
    assert found.far == 100
    for stage in ("untrained", "trained"):
        plain, gru, lstm = (getattr(decay, stage).mean[100] for decay in found.decays)
        assert plain < gru and plain < lstm, stage
    assert all(each.can_tell for each in found.compared()["untrained"] if each.less == "rnn")
