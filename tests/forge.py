"""A model's folder changed and signed again, as an ill-meaning person would do it: every checksum is right."""

import hashlib
import json
import shutil
import signal
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import onnx
from onnx import ModelProto

from rnn_cli.bundle.model_folder import sign

MOST_SECONDS = 60
"""What is refused at once on a busy machine is refused within that; a pipe would be waited for longer."""

MOST_MEMORY = 64 << 20


class Forged:
    """A copy of a signed folder, bundle or checkpoint; what its manifest says of each file stays true."""

    def __init__(self, original: Path, path: Path) -> None:
        shutil.copytree(original, path)
        self.path = path

    @property
    def manifest(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.path / "manifest.json").read_text("utf-8"))
        del content["checksum"]
        return content

    def sign(self, **changes: Any) -> None:
        """Sign the manifest, changed; `...` leaves a key out."""
        content = {key: value for key, value in (self.manifest | changes).items() if value is not ...}
        (self.path / "manifest.json").write_bytes(sign(content).encode("utf-8", "surrogatepass"))

    def write(self, name: str, content: str | bytes) -> None:
        """Replace a file."""
        content = content.encode("utf-8") if isinstance(content, str) else content
        (self.path / name).write_bytes(content)
        entry = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        self.sign(files=self.manifest["files"] | {name: entry})

    def json(self, name: str, **changes: Any) -> None:
        """Replace values of a JSON file; `...` removes one."""
        content = json.loads((self.path / name).read_text("utf-8")) | changes
        self.write(name, json.dumps({key: value for key, value in content.items() if value is not ...}))

    def graph(self, change: Callable[[ModelProto], object], name: str = "model.onnx") -> None:
        """Change the graph, which need not be a graph any more."""
        model = onnx.load_from_string((self.path / name).read_bytes())
        change(model)
        self.write(name, model.SerializeToString())


@contextmanager
def at_once() -> Iterator[None]:
    """Fails where the block waits for something, or takes much memory."""

    def late(signum: int, frame: FrameType | None) -> NoReturn:
        raise AssertionError("it is waited for")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(MOST_SECONDS)
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
