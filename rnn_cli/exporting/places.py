"""What a bundle tells of the machine that trained it, left out: of each path its last part stays. Knows no files.

`rnn evaluate --data` needs the config, which says how rows are read, and a reader likes to know what the data was
called; where it lay tells of users and folders, and is of no use elsewhere.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from rnn_cli.bundle import FURTHER
from rnn_cli.config import Config


def unplaced_config(config: Config) -> Config:
    """The same config, its paths without their folders."""
    named = config.data.unlabelled
    data = {
        **{
            key: _last(value)
            for key in ("source", "validation", "test")
            if isinstance(value := getattr(config.data, key), str)
        },
        "unlabelled": [_last(each) for each in named] if isinstance(named, list) else named and _last(named),
    }
    vectors = config.model.embeddings
    return config.model_copy(
        update={
            "data": config.data.model_copy(update=data),
            "model": config.model.model_copy(update={"embeddings": vectors and _last(vectors)}),
        }
    )


def unplaced_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """The `data` of a manifest, the model it was trained further from without its folder."""
    if FURTHER not in data:
        return dict(data)
    origin = data[FURTHER]
    return {**data, FURTHER: {**origin, "model": _last(str(origin.get("model", "")))}}


def _last(path: str) -> str:
    """A path's last part, as a path: beside a bare name, which may be a built-in set's, stand no folders."""
    name = PurePath(path.partition("?")[0] if "://" in path else path).name  # a URL's query may be secret
    return path if path == name else f"./{name}"
