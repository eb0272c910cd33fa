"""A run in MLflow: a database in a folder here, or a server whose address is named. MLflow reports to nobody.

MLflow's plain folder of files is no longer kept up by MLflow, so a local store is a SQLite database with its artefacts
beside it; `mlflow ui --backend-store-uri sqlite:///mlruns/mlflow.db` shows it.
"""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

import alembic  # noqa: F401  (mlflow-skinny, which does not ask for them, needs both for a database)
import sqlalchemy  # noqa: F401
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from rnn_cli.errors import UsageError
from rnn_cli.tracking.tracked import Ending, first_line, without_secret
from rnn_cli.training.trained import Run

MLFLOW_FOLDER, DATABASE, EXPERIMENT = Path("mlruns"), "mlflow.db", "rnn"

MOST_CHARACTERS_OF_VALUE = 6_000
"""The longest value of a parameter that MLflow takes."""

STATUS: Mapping[Ending, str] = {"finished": "FINISHED", "failed": "FAILED", "killed": "KILLED"}

_AT_ONCE = 100
"""Parameters that MLflow takes in one call."""


class MlflowTracker:
    """One run of MLflow, in the experiment of MLFLOW_EXPERIMENT_NAME, else "rnn".

    `uri` is the address of a server or a database, or a folder; None for the folder `mlruns`.
    """

    def __init__(self, uri: str | None) -> None:
        """Begin the run. Raises `UsageError` if the store cannot be reached or opened."""
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # seven take minutes
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        artifacts: str | None = None
        if uri is None or "://" not in uri:
            folder = (MLFLOW_FOLDER if uri is None else Path(uri)).absolute()
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(f"cannot be made ({error.strerror})", where=str(folder)) from None
            uri, artifacts, self.place = f"sqlite:///{folder / DATABASE}", (folder / "artifacts").as_uri(), str(folder)
        else:
            self.place = without_secret(uri)
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        try:
            self._client = MlflowClient(uri)
            known = self._client.get_experiment_by_name(name)
            self._experiment = known.experiment_id if known else self._client.create_experiment(name, artifacts)
            self._run = self._client.create_run(self._experiment).info.run_id
        except MlflowException as error:
            raise UsageError(f"MLflow cannot use it ({first_line(error)})", where=self.place) from None

    def curves(self, epoch: int, values: Mapping[str, float]) -> None:
        """Log an epoch's metrics at its step."""
        for name, value in values.items():
            self._client.log_metric(self._run, name, value, step=epoch)

    def result(self, run: Run, parameters: Mapping[str, str], figures: Mapping[str, float]) -> None:
        """Log the config as parameters, the figures as metrics, and the model's folder with its report as artefacts."""
        listed = [Param(name, value[:MOST_CHARACTERS_OF_VALUE]) for name, value in parameters.items()]
        for start in range(0, len(listed), _AT_ONCE):
            self._client.log_batch(self._run, params=listed[start : start + _AT_ONCE])
        self._client.log_batch(self._run, metrics=[Metric(name, value, 0, 0) for name, value in figures.items()])
        self._client.update_run(self._run, name=run.path.name)
        self._client.set_tag(self._run, "rnn.model", str(run.path))
        if run.report_path is not None:
            self._client.log_artifact(self._run, str(run.report_path))
        self._client.log_artifacts(self._run, str(run.path), "model")

    def close(self, ending: Ending) -> None:
        """End the run with its status."""
        self._client.set_terminated(self._run, STATUS[ending])
