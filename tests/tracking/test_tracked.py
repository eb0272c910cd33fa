"""Trackers: what MLflow and TensorBoard hold of a run, and that neither can cost one."""

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import rnn_cli as rnn
from rnn_cli.bundle.history import read_history
from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.errors import UsageError
from rnn_cli.tracking.tracked import ToTracker, parameters_of, shown_figures, tracked
from rnn_cli.training.trained import Run
from tests.conftest import Silent

needs_mlflow = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("mlflow", "sqlalchemy", "alembic")), reason="the extra mlflow is missing"
)
needs_tensorboard = pytest.mark.skipif(find_spec("tensorboard") is None, reason="the extra tensorboard is missing")


@pytest.fixture
def run(trained: Path) -> Run:
    return Run(Bundle.open(trained))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


class Kept:
    """A tracker that remembers, and fails when it is told to."""

    place = "memory"

    def __init__(self, failing: str = "") -> None:
        self.told: list[tuple[str, Any]] = []
        self._failing = failing

    def _take(self, what: str, content: Any) -> None:
        if what == self._failing:
            raise ConnectionError("nobody there\nat all")
        self.told.append((what, content))

    def curves(self, epoch: int, values: Mapping[str, float]) -> None:
        self._take("curves", epoch)

    def result(self, run: Run, parameters: Mapping[str, str], figures: Mapping[str, float]) -> None:
        self._take("result", (parameters, figures))

    def close(self, ending: str) -> None:
        self._take("close", ending)


def test_parameters_are_the_config_and_figures_those_of_the_run(run: Run) -> None:
    parameters, figures = parameters_of(run), shown_figures(run)
    assert parameters["training.epochs"] == "12" and parameters["tokenizer.vocab_size"] == "60"
    kept = json.loads((run.path / "metrics.json").read_text())
    assert figures["test.accuracy"] == kept["test"]["accuracy"]
    assert figures["baseline.validation.macro_f1"] == kept["baseline"]["validation"]["macro_f1"]
    assert all(isinstance(value, float) for value in figures.values())


@pytest.mark.parametrize(
    ("name", "figure"), [("measured_by_folds", "accuracy"), ("several_by_folds", "micro_f1")], ids=["one", "several"]
)
def test_the_figures_of_a_run_measured_by_folds_are_told(
    name: str, figure: str, request: pytest.FixtureRequest
) -> None:
    run = Run(Bundle.open(request.getfixturevalue(name)))
    figures, kept = shown_figures(run), run.metrics
    assert figures[f"folds.{figure}"] == kept["folds"][figure]
    assert figures["folds.rows"] > figures["validation.rows"]
    assert figures[f"baseline.folds.{figure}"] == kept["baseline"]["folds"][figure]


def test_epochs_are_told_at_once_and_those_before_a_resumption_at_the_end(run: Run, listener: Silent) -> None:
    tracker, history = Kept(), read_history(run.bundle)
    told = ToTracker(listener, tracker)
    told.epoch_done(history[-1], best=True)
    assert tracker.told == [("curves", 12)] and listener.epochs == [history[-1]]
    told.finish(run)
    told.close("finished")
    assert [each for each in tracker.told if each[0] == "curves"] == [("curves", at) for at in (12, *range(1, 12))]
    assert [what for what, _ in tracker.told[-2:]] == ["result", "close"]


@pytest.mark.parametrize("failing", ["curves", "result", "close"])
def test_a_tracker_that_fails_costs_one_warning(failing: str, run: Run, listener: Silent) -> None:
    told = ToTracker(listener, Kept(failing))
    told.epoch_done(read_history(run.bundle)[0], best=True)
    told.finish(run)
    told.close("finished")
    assert listener.warnings == ["memory takes no more of this run (ConnectionError: nobody there); the run goes on"]


def test_a_wrong_name_or_an_address_of_nobody_is_refused(listener: Silent) -> None:
    with pytest.raises(UsageError, match="no such tracker: wandb; use one of mlflow, tensorboard"):
        with tracked("wandb", None, listener):
            pass
    with pytest.raises(UsageError, match="none is named"):
        rnn.train("quick", tracker_uri="http://localhost:5000")


BLOCKED = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == sys.argv[1]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from rnn_cli.cli.main import run
sys.exit(run(["train", "quick", "--tracker", sys.argv[2]]))
"""


@pytest.mark.parametrize(
    ("library", "extra"), [("mlflow", "mlflow"), ("sqlalchemy", "mlflow"), ("tensorboard", "tensorboard")]
)
def test_a_missing_library_is_told_before_any_work(library: str, extra: str, home: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", BLOCKED, library, extra], capture_output=True, text=True, cwd=home, timeout=60
    )
    told = f"--tracker {extra} needs the library {library}, which is not installed; pip install 'rnn-cli[{extra}]'"
    if ended.stderr.count("alembic") and library != "alembic":
        pytest.skip("the extra mlflow is missing")
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", f"Error: {told}\n")
    assert not list(home.iterdir())


@needs_mlflow
@pytest.mark.filterwarnings("ignore")  # of sqlalchemy's and mlflow's own making
def test_mlflow_holds_the_config_the_curves_the_figures_and_the_model(
    run: Run, listener: Silent, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    with tracked("mlflow", None, listener) as (_, told):
        assert told is not None
        told.finish(run)
    assert listener.notes == [f"tracked in {home / 'mlruns'}"] and not listener.warnings
    assert [each.name for each in home.iterdir()] == ["mlruns"]
    client = MlflowClient(f"sqlite:///{home / 'mlruns' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("rnn")
    (found,) = client.search_runs([experiment.experiment_id])
    assert (found.info.status, found.info.run_name) == ("FINISHED", "model")
    assert found.data.params["training.epochs"] == "12"
    assert found.data.params == {name: value for name, value in parameters_of(run).items()}
    assert found.data.metrics["test.accuracy"] == shown_figures(run)["test.accuracy"]
    curve = [(each.step, each.value) for each in client.get_metric_history(found.info.run_id, "val_loss")]
    assert curve == [(each.epoch, each.val_loss) for each in read_history(run.bundle)]
    kept = {file.name for file in (home / "mlruns" / "artifacts").rglob("*") if file.is_file()}
    assert kept == {file.name for file in run.path.iterdir()}

    with pytest.raises(KeyboardInterrupt), tracked("mlflow", str(home / "mlruns"), listener):
        raise KeyboardInterrupt
    assert {each.info.status for each in client.search_runs([experiment.experiment_id])} == {"FINISHED", "KILLED"}


@needs_mlflow
@pytest.mark.filterwarnings("ignore")
def test_a_server_that_is_not_there_is_told_before_any_work(
    listener: Silent, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9")
    with pytest.raises(UsageError) as caught, tracked("mlflow", None, listener):
        pass
    assert str(caught.value).startswith("http://127.0.0.1:9: MLflow cannot use it (")
    assert "secret" not in str(caught.value)
    assert not list(home.iterdir())


@needs_mlflow
def test_mlflow_reports_to_nobody() -> None:
    found = "import rnn_cli; from mlflow.telemetry.utils import is_telemetry_disabled as off; print(off())"
    ended = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, timeout=60)
    assert ended.stdout == "True\n", ended.stderr


@needs_tensorboard
@pytest.mark.filterwarnings("ignore")
def test_tensorboard_holds_the_config_the_curves_the_figures_and_the_model(
    run: Run, listener: Silent, home: Path
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for _ in range(2):  # within a second: each has a folder of its own
        with tracked("tensorboard", None, listener) as (_, told):
            assert told is not None
            told.finish(run)
    assert not listener.warnings
    folders = sorted((home / "tensorboard").iterdir())
    assert len(folders) == 2
    events = EventAccumulator(str(folders[0]), size_guidance={"tensors": 0})
    events.Reload()
    curve = [(each.step, each.tensor_proto.float_val[0]) for each in events.Tensors("epoch/val_loss")]
    assert curve == [(each.epoch, pytest.approx(each.val_loss)) for each in read_history(run.bundle)]
    (accuracy,) = events.Tensors("test/accuracy")
    assert accuracy.tensor_proto.float_val[0] == pytest.approx(shown_figures(run)["test.accuracy"])
    (config,) = events.Tensors("config")
    assert "| training.epochs | 12 |" in config.tensor_proto.string_val[0].decode()
    assert {file.name for file in (folders[0] / "model").iterdir()} == {file.name for file in run.path.iterdir()}


@needs_tensorboard
def test_tensorboard_takes_no_address_and_needs_no_tensorflow(listener: Silent) -> None:
    with pytest.raises(UsageError, match="TensorBoard writes into a folder, not to an address"):
        with tracked("tensorboard", "http://localhost:6006", listener):
            pass
    found = "import sys, rnn_cli.tracking.tensorboard_run; print('tensorflow' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, timeout=60)
    assert ended.stdout == "False\n", ended.stderr
