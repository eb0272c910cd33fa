"""The training loop: what each key of `training` does to the weights, which epoch is kept, when a run is refused.

Two networks stand in for a real one: a Dense layer over counts of words, small enough to follow by hand, and one
that answers what a test wrote down.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow
from sklearn.metrics import accuracy_score, log_loss

from rnn_cli.bundle.history import EpochMetrics
from rnn_cli.config.schema import Config, TrainingConfig
from rnn_cli.errors import RunFailed
from rnn_cli.training import run as run_module
from rnn_cli.training.encoding import Encoded, epoch_steps
from rnn_cli.training.learner import Learner
from rnn_cli.training.loop import StepResult, TrainingState
from rnn_cli.training.loop import fit as fit_learner
from rnn_cli.training.prepare import prepare

WORDS = 6
STILL = {"optimizer": "sgd", "learning_rate": 1e-12, "epochs": 1}
"""Training that leaves the weights where they are, so that each figure can be told beforehand."""

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "nadam": keras.optimizers.Nadam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


class Hearing:
    """A listener that keeps what it hears of steps and epochs."""

    def __init__(self) -> None:
        self.starts: list[tuple[int, int, int]] = []
        self.steps: list[tuple[float, float]] = []
        self.best: list[bool] = []
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warn(self, text: str) -> None:
        raise AssertionError(text)

    def progress(self, what: str, done: int, total: int) -> None:
        pass

    def epoch_starts(self, epoch: int, epochs: int, steps: int, done: int) -> None:
        assert done == 0
        self.starts.append((epoch, epochs, steps))

    def step_done(self, loss: float, accuracy: float) -> None:
        self.steps.append((loss, accuracy))

    def epoch_done(self, metrics: EpochMetrics, *, best: bool) -> None:
        self.best.append(best)


class Scripted:
    """A learner whose answers for the validation rows are written down, a tuple an epoch; its weights name the epoch.

    `batches` holds the first ids of each batch it was trained on.
    """

    learning_rate = 0.1

    def __init__(self, predicted: Sequence[Sequence[float]]) -> None:
        self.predicted = predicted
        self.epoch = 0
        self.batches: list[list[int]] = []
        self.kept: int | None = None

    def learn(self, ids: np.ndarray, *_: Any) -> StepResult:
        self.batches.append(ids[:, 0].tolist())
        return StepResult(1.0, np.ones((len(ids), 1), np.float32), 1.0)

    def probabilities(self, ids: np.ndarray) -> np.ndarray:
        self.epoch += 1
        assert len(ids) == len(self.predicted[self.epoch - 1]), "one batch of validation rows an epoch"
        return np.array(self.predicted[self.epoch - 1], np.float32)[:, None]

    def weights(self) -> list[np.ndarray]:
        return [np.array(self.epoch)]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        self.kept = int(weights[0])


def fit(
    model: keras.Model | Scripted, config: TrainingConfig, train: Encoded, validation: Encoded, heard: Hearing
) -> tuple[list[EpochMetrics], EpochMetrics]:
    """History and best epoch of a whole training."""
    if isinstance(model, keras.Model):
        learner: Any = Learner(model, config, epoch_steps(len(train.classes), config.batch_size) * config.epochs)
    else:
        learner = model
    state = TrainingState()
    best = fit_learner(learner, config, train, validation, heard, state=state)
    return state.history, best


def settings(**keys: Any) -> TrainingConfig:
    return TrainingConfig.model_validate(keys)


def encoded(texts: Sequence[Sequence[int]], classes: Sequence[int], weights: Sequence[float] | None = None) -> Encoded:
    given = np.ones(len(classes)) if weights is None else weights
    return Encoded(texts, np.array(classes, np.intp), np.array(given, np.float32))


def some_rows(rows: int, classes: int, seed: int) -> Encoded:
    """Texts of one to five words, with any class and any weight."""
    chance = np.random.default_rng(seed)
    texts = [chance.integers(1, WORDS + 1, chance.integers(1, 6)).tolist() for _ in range(rows)]
    return encoded(texts, chance.permutation(np.arange(rows) % classes).tolist(), chance.uniform(0.2, 5, rows).tolist())


def network(kernel: np.ndarray) -> keras.Model:
    """Probabilities from the counts of words: `kernel` is `[WORDS, 1]` for two classes, else `[WORDS, classes]`."""
    ids = keras.Input((None,), dtype="int32")
    counts = keras.ops.sum(keras.ops.one_hot(ids - 1, WORDS), axis=1)  # padding becomes -1, which is no word
    width = kernel.shape[1]
    layer = keras.layers.Dense(width, name="logits")
    model = keras.Model(ids, keras.layers.Activation("sigmoid" if width == 1 else "softmax")(layer(counts)))
    layer.set_weights([kernel, np.zeros(width)])
    return model


def some_kernel(classes: int) -> np.ndarray:
    return np.random.default_rng(3).normal(0, 0.7, (WORDS, 1 if classes == 2 else classes))


def predicted(kernel: np.ndarray, rows: Encoded) -> np.ndarray:
    """What a `network` of this kernel answers, `[rows, classes]`, by hand."""
    logits = np.array([np.bincount(np.array(text) - 1, minlength=WORDS) for text in rows.sequences]) @ kernel
    if kernel.shape[1] == 1:
        logits = np.hstack([np.zeros_like(logits), logits])
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def one_step(kernel: np.ndarray, train: Encoded, **keys: Any) -> list[np.ndarray]:
    """How far one step takes the kernel and the bias."""
    model = network(kernel)
    fit(model, settings(epochs=1, batch_size=100, **keys), train, encoded([[1], [2]], [0, 1]), Hearing())
    after, bias = model.get_weights()
    return [after - kernel, bias]


def followed(predicted: Sequence[float | Sequence[float]], **keys: Any) -> tuple[list[EpochMetrics], int, Hearing]:
    """History, number of the epoch whose weights were kept, and what was heard, for four rows that are all of class 1.

    A float is all four rows' answer.
    """
    model = Scripted([each if isinstance(each, Sequence) else (each,) * 4 for each in predicted])
    four, heard = encoded([[1]] * 4, [1] * 4), Hearing()
    history, best = fit(model, settings(epochs=len(predicted), **keys), four, four, heard)
    assert model.kept == best.epoch
    assert history[best.epoch - 1] is best
    return history, best.epoch, heard


# The step


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_steps_with_and_without_decay(name: str) -> None:
    model = network(np.ones((WORDS, 1)))
    rows = encoded([[1], [2]], [0, 1])
    config = settings(optimizer=name, epochs=1, learning_rate=0.1)
    assert type(Learner(model, config, 1).optimizer) is OPTIMIZERS[name]
    fit(model, config, rows, rows, Hearing())
    kernel, _ = model.get_weights()
    assert kernel[0, 0] < 1 < kernel[1, 0]
    np.testing.assert_array_equal(kernel[2:], 1.0)  # words it never saw: the default decays nothing

    moved, _ = one_step(np.ones((WORDS, 1)), rows, optimizer=name, learning_rate=0.1, weight_decay=0.5)
    np.testing.assert_allclose(moved[2:], -0.1 * 0.5, rtol=1e-5)


def test_one_step_of_sgd_by_hand() -> None:
    rows = encoded([[1], [1], [2]], [1, 1, 0], weights=[1, 1, 4])
    kernel, bias = one_step(np.zeros((WORDS, 1)), rows, optimizer="sgd", learning_rate=0.3)
    # Each row's gradient is its weight × (0.5 − class) / 3 rows.
    np.testing.assert_allclose(kernel.ravel(), [0.1, -0.2, 0, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(bias, [-0.1], atol=1e-6)


def test_clip_norm_shortens_the_whole_gradient() -> None:
    rows = encoded([[1], [2]], [1, 1], weights=[100, 100])
    free = one_step(np.zeros((WORDS, 1)), rows, optimizer="sgd", learning_rate=1.0)
    clipped = one_step(np.zeros((WORDS, 1)), rows, optimizer="sgd", learning_rate=1.0, clip_norm=0.25)
    length = np.linalg.norm(np.concatenate([each.ravel() for each in free]))
    assert length > 10
    for long, short in zip(free, clipped, strict=True):
        np.testing.assert_allclose(short, long * 0.25 / length, rtol=1e-4)


@pytest.mark.parametrize(
    ("schedule", "shares"),
    [
        ("constant", [1, 1, 1, 1]),
        ("linear", [0.75, 0.5, 0.25, 0]),
        ("cosine", [(1 + math.cos(math.pi * epoch / 4)) / 2 for epoch in (1, 2, 3, 4)]),
    ],
)
def test_the_learning_rate_of_each_epoch(schedule: str, shares: list[float]) -> None:
    rows, heard = some_rows(5, 2, seed=1), Hearing()  # in twos, three steps an epoch
    config = settings(schedule=schedule, learning_rate=0.02, epochs=4, batch_size=2, early_stopping=None)
    history, _ = fit(network(some_kernel(2)), config, rows, rows, heard)
    np.testing.assert_allclose([each.learning_rate for each in history], np.array(shares) * 0.02, atol=1e-8)
    assert heard.starts == [(epoch, 4, 3) for epoch in (1, 2, 3, 4)]


# The figures


@pytest.mark.parametrize("classes", [2, 3])
def test_the_training_figures_are_means_over_rows(classes: int) -> None:
    kernel, heard = some_kernel(classes), Hearing()
    rows = some_rows(11, classes, seed=2)  # the last batch holds three
    (metrics,), _ = fit(network(kernel), settings(batch_size=4, **STILL), rows, rows, heard)
    true = predicted(kernel, rows)[np.arange(11), rows.classes]
    assert metrics.loss == pytest.approx(np.mean(-np.log(true) * rows.weights), rel=1e-5)
    assert metrics.accuracy == pytest.approx(accuracy_score(rows.classes, predicted(kernel, rows).argmax(axis=1)))
    assert len(heard.steps) == 3
    assert heard.steps[-1] == (metrics.loss, metrics.accuracy)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_validation_figures_are_plain_ones(classes: int) -> None:
    kernel, rows = some_kernel(classes), some_rows(23, classes, seed=4)
    config = settings(batch_size=5, label_smoothing=0.3, **STILL)
    (metrics,), _ = fit(network(kernel), config, some_rows(6, classes, seed=5), rows, Hearing())
    told = predicted(kernel, rows)
    assert metrics.val_loss == pytest.approx(log_loss(rows.classes, told, labels=range(classes)), rel=1e-5)
    assert metrics.val_accuracy == accuracy_score(rows.classes, told.argmax(axis=1))
    assert 0 < metrics.val_accuracy < 1


@pytest.mark.parametrize("classes", [2, 3])
def test_label_smoothing_costs_a_confident_network(classes: int) -> None:
    kernel = np.array([[8.0]] * WORDS) if classes == 2 else np.array([[0.0, 8.0, 0.0]] * WORDS)
    rows = encoded([[1], [2], [3]], [1, 1, 1])
    sure = predicted(kernel, rows)[0]

    def metrics(smoothing: float) -> EpochMetrics:
        config = settings(label_smoothing=smoothing, **STILL)
        return fit(network(kernel), config, rows, rows, Hearing())[1]

    plain, smoothed = metrics(0.0), metrics(0.3)
    wanted = np.full(classes, 0.3 / classes)
    wanted[1] += 0.7
    assert plain.loss == pytest.approx(-math.log(sure[1]), rel=1e-3)
    assert smoothed.loss == pytest.approx(-(wanted * np.log(sure)).sum(), rel=1e-3)
    assert smoothed.val_loss == pytest.approx(plain.loss, rel=1e-3)


def test_a_certain_mistake_costs_much_but_not_everything() -> None:
    (metrics,), _, _ = followed([(0.0, 1.0, 1.0, 1.0)])
    assert metrics.val_loss == pytest.approx(-math.log(1e-7) / 4, rel=1e-5)
    assert metrics.val_accuracy == 0.75


# The order of rows


def test_rows_are_shuffled_by_seed_and_epoch() -> None:
    def epochs(seed: int) -> list[list[list[int]]]:
        rows = encoded([[row] for row in range(1, 41)], [0, 1] * 20)
        model = Scripted([(0.5,) * 4] * 2)
        config = settings(seed=seed, epochs=2, batch_size=4)
        fit(model, config, rows, encoded([[1]] * 4, [1] * 4), Hearing())
        return [model.batches[:10], model.batches[10:]]

    first, second = epochs(seed=1)
    for epoch in (first, second):
        assert sorted(row for batch in epoch for row in batch) == list(range(1, 41))
    # Rows meet others in each epoch, in the file's order in none.
    together = [{frozenset(batch) for batch in epoch} for epoch in (first, second)]
    assert not together[0] & together[1]
    assert not any(max(batch) - min(batch) == 3 for batch in [*first, *second])
    assert epochs(seed=1) == [first, second]
    assert epochs(seed=2)[0] not in (first, second)


# The best epoch


CAUTIOUS = (0.6, 0.6, 0.6, 0.6)  # all right, at a loss of 0.51
BOLD = (0.99, 0.99, 0.99, 0.4)  # one wrong, at a loss of 0.24


@pytest.mark.parametrize(
    ("stopping", "best"),
    [({"monitor": "loss"}, 2), ({"monitor": "accuracy"}, 1), ({}, 2), (None, 2)],
    ids=["loss", "accuracy", "default", "no early stopping"],
)
def test_the_figure_that_names_the_best_epoch(stopping: dict[str, str] | None, best: int) -> None:
    history, kept, heard = followed([CAUTIOUS, BOLD, CAUTIOUS], early_stopping=stopping)
    assert kept == best
    assert len(history) == 3
    assert heard.best == [True, best == 2, False]


@pytest.mark.parametrize("patience", [1, 2, 3])
def test_patience_is_counted_from_the_best_epoch(patience: int) -> None:
    script = [0.6, 0.7, 0.69, 0.68, 0.67, 0.66, 0.65]
    history, kept, heard = followed(script, early_stopping={"patience": patience})
    assert kept == 2
    assert len(history) == 2 + patience
    assert heard.best == [True, True] + [False] * patience
    since = "1 epoch" if patience == 1 else f"{patience} epochs"
    assert heard.notes == [
        f"stopped early after epoch {2 + patience} of 7: the validation loss has not improved for {since}; "
        "the weights of epoch 2 are kept"
    ]


@pytest.mark.parametrize("stopping", [None, {"patience": 2}])
def test_a_run_that_trains_all_epochs_has_not_stopped_early(stopping: dict[str, int] | None) -> None:
    _, kept, heard = followed([0.6, 0.7, 0.69, 0.68], early_stopping=stopping)
    assert (kept, heard.notes) == (2, [])


def test_a_better_epoch_renews_the_patience() -> None:
    history, kept, _ = followed([0.6, 0.5, 0.7, 0.5, 0.8, 0.5, 0.5, 0.9], early_stopping={"patience": 2})
    assert (len(history), kept) == (7, 5)


@pytest.mark.parametrize(
    ("monitor", "script"), [("loss", [0.6, 0.7, 0.7, 0.7, 0.7]), ("accuracy", [0.4, 0.6, 0.7, 0.8, 0.9])]
)
def test_of_equal_epochs_the_first_is_best(monitor: str, script: list[float]) -> None:
    history, kept, heard = followed(script, early_stopping={"patience": 2, "monitor": monitor})
    assert (len(history), kept) == (4, 2)
    assert heard.best == [True, True, False, False]
    (note,) = heard.notes
    assert f"the validation {monitor} has not improved for 2 epochs; the weights of epoch 2 are kept" in note


def test_without_early_stopping_all_epochs_are_trained() -> None:
    history, kept, _ = followed([0.8, *[0.6] * 9], early_stopping=None)
    assert (len(history), kept) == (10, 1)


def test_the_best_epochs_weights_are_restored() -> None:
    # What validation asks for is the contrary of what is taught, so the first epoch is the best.
    train, validation = encoded([[1], [2]], [1, 0]), encoded([[1], [2], [1, 3]], [0, 1, 0])
    model = network(np.zeros((WORDS, 1)))
    config = settings(optimizer="sgd", learning_rate=1.0, epochs=4, early_stopping=None)
    history, best = fit(model, config, train, validation, Hearing())
    assert best.epoch == 1
    assert history[-1].val_loss > history[0].val_loss + 0.2
    assert log_loss(validation.classes, predicted(model.get_weights()[0], validation)) == pytest.approx(best.val_loss)


# What is refused


@pytest.mark.parametrize("monitor", ["loss", "accuracy"])
def test_divergence_on_an_epochs_last_batch_fails_the_run(monitor: str) -> None:
    rows = encoded([[1], [2], [3]], [0, 1, 1], weights=[100, 100, 100])
    config = settings(optimizer="sgd", learning_rate=1e38, epochs=3, batch_size=64, early_stopping={"monitor": monitor})
    with pytest.raises(RunFailed, match=r"^the validation loss is (nan|inf) at epoch 1; .*learning_rate"):
        fit(network(np.zeros((WORDS, 1))), config, rows, rows, Hearing())


@pytest.mark.parametrize("stopping", [{"monitor": "loss"}, {"monitor": "accuracy"}, None])
def test_a_later_epoch_without_a_validation_loss_fails_the_run(stopping: dict[str, str] | None) -> None:
    with pytest.raises(RunFailed, match="the validation loss is nan at epoch 2"):
        followed([0.9, (0.9, 0.9, 0.9, math.nan), 0.9], early_stopping=stopping)


def test_a_batch_without_a_loss_fails_the_run() -> None:
    rows = encoded([[1], [2], [3]], [0, 1, 1], weights=[1, 1, math.inf])
    with pytest.raises(RunFailed, match=r"^the loss is (nan|inf) at epoch 1, batch [123]; .*clip_norm"):
        fit(network(np.zeros((WORDS, 1))), settings(batch_size=1), rows, rows, Hearing())


# The same bytes again


def test_a_run_asks_for_deterministic_operations_before_it_trains(
    labelled_file: Path, tiny: dict[str, Any], listener: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def stop(*_: Any, **__: Any) -> None:
        asked.append("fit")
        raise RunFailed("far enough")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tensorflow.config.experimental, "enable_op_determinism", lambda: asked.append("determinism"))
    monkeypatch.setattr(run_module, "fit", stop)
    prepared = prepare(Config.model_validate({**tiny, "data": {"source": str(labelled_file)}}), listener)
    with pytest.raises(RunFailed, match="far enough"):
        run_module.train_prepared(prepared, out=None, name="t", force=False, listener=listener)
    assert asked == ["determinism", "fit"]


def test_an_even_answer_counts_as_the_finished_model_will_take_it() -> None:
    validation = Encoded([[1], [2]], np.array([1, 1]), np.ones(2, np.float32))
    config = TrainingConfig(epochs=1, batch_size=2)
    (only,), _ = fit(Scripted([[0.5, 0.5]]), config, validation, validation, Hearing())
    assert only.val_accuracy == 1.0
