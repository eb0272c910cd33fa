"""A run as TensorBoard's event files, which `tensorboard --logdir tensorboard` shows. Needs no TensorFlow."""

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.scalar import metadata as scalar
from tensorboard.plugins.text import metadata as text
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto

from rnn_cli.errors import UsageError
from rnn_cli.tracking.tracked import Ending
from rnn_cli.training.trained import Run

TENSORBOARD_FOLDER = Path("tensorboard")


class TensorboardTracker:
    """A folder of its own, by the time of its beginning, in the folder `uri`; None for `tensorboard`."""

    def __init__(self, uri: str | None) -> None:
        """Make the run's folder. Raises `UsageError` if it cannot be made."""
        if uri is not None and "://" in uri:
            raise UsageError("TensorBoard writes into a folder, not to an address", where=uri, hint="name a folder")
        above = TENSORBOARD_FOLDER if uri is None else Path(uri)
        self._folder = above / time.strftime("%Y-%m-%d_%H-%M-%S")
        number = 1
        try:
            above.mkdir(parents=True, exist_ok=True)
            while True:
                try:
                    self._folder.mkdir()
                    break
                except FileExistsError:
                    number += 1
                    self._folder = self._folder.with_name(f"{self._folder.name.partition('.')[0]}.{number}")
        except OSError as error:
            raise UsageError(f"cannot be made ({error.strerror})", where=str(self._folder)) from None
        self.place = str(self._folder)
        self._events = EventFileWriter(str(self._folder))

    def curves(self, epoch: int, values: Mapping[str, float]) -> None:
        """Write an epoch's metrics at its step."""
        for name, value in values.items():
            self._scalar(f"epoch/{name}", value, epoch)
        self._events.flush()

    def result(self, run: Run, parameters: Mapping[str, str], figures: Mapping[str, float]) -> None:
        """Write the figures, the config as a table, and a copy of the model's folder with its report."""
        for name, value in figures.items():
            self._scalar(name.replace(".", "/"), value, 0)
        rows = "\n".join(
            f"| {name} | {' '.join(value.split()).replace('|', '&#124;')} |" for name, value in parameters.items()
        )
        self._text("config", f"| key | value |\n|---|---|\n{rows}")
        self._text("model", f"{run.path} (copied to {self._folder / 'model'})")
        shutil.copytree(run.path, self._folder / "model")

    def close(self, ending: Ending) -> None:
        """Finish the files; of a run that did not finish, how it ended."""
        if ending != "finished":
            self._text("ended", ending)
        self._events.close()

    def _scalar(self, tag: str, value: float, step: int) -> None:
        metadata = scalar.create_summary_metadata(display_name="", description="")
        self._write(tag, make_tensor_proto(np.float32(value)), metadata, step)

    def _text(self, tag: str, content: str) -> None:
        metadata = text.create_summary_metadata(display_name="", description="")
        self._write(tag, make_tensor_proto(np.array([content.encode("utf-8")], dtype=object)), metadata, 0)

    def _write(self, tag: str, tensor: Any, metadata: Any, step: int) -> None:
        event = Event(wall_time=time.time(), step=step)
        event.summary.value.add(tag=tag, tensor=tensor, metadata=metadata)
        self._events.add_event(event)
