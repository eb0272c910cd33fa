"""The models of a server: opened, tried, and exchanged as a whole while requests go on."""

import json
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import asdict, dataclass
from functools import cached_property
from math import isfinite
from typing import Any

from rnn_cli.api import columns_in, open_model
from rnn_cli.bundle.locate import shown_model
from rnn_cli.bundle.model_folder import CARD, CONFIG, METRICS, REPORT, RUN, Bundle
from rnn_cli.columns import CategoryColumn
from rnn_cli.kinds import NUMBER_FIGURES
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.scoring.unknown import UNKNOWN_TOKENS
from rnn_cli.serving.settings import ServerSettings

TRIED = "A text to warm the model up with."

FIGURES = ("rows", "accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "pr_auc", "log_loss", "brier", "ece")
FIGURES_OF_SEVERAL = ("rows", "micro_f1", "macro_f1", "samples_f1", "exact_match", "ranking_precision", "log_loss")
FIGURES_OF_ORDERED = ("rows", "mean_absolute_error", "quadratic_kappa", "spearman", "within_one", *FIGURES[1:])
FIGURES_OF_NUMBERS = ("rows", *NUMBER_FIGURES)
"""The metrics that are told of a model, of one of several labels a text, of one of ordered labels, and of numbers."""


@dataclass(frozen=True)
class ServedModel:
    """A model under its name; `about` is what /v1/model answers. `patient` is the predictor of long requests, which
    leaves a core to the short ones where it can. `config` is the content of its file, None for an export. Nothing of
    these is read from the folder again, which may hold another model by then."""

    name: str
    predictor: Predictor
    patient: Predictor
    about: Mapping[str, Any]
    config: bytes | None

    @cached_property
    def text_column(self) -> str | None:
        """The column that the model was trained on, where its config names it. Raises `BundleError`.

        The first time takes 0.1 s, and 11 MB for pydantic, which a server that scores no files does without.
        """
        if self.config is None:
            return None
        return columns_in(self.config, str(self.predictor.bundle.path / CONFIG))[0]


class Models:
    """The models that answer now, by name; the first answers where none is named."""

    def __init__(self, settings: ServerSettings, note: Callable[[str], None]) -> None:
        """Open and try them all. Raises `BundleError` and `UsageError` as `rnn predict` does."""
        self._settings, self._note = settings, note
        self.current = self.opened()

    @property
    def first(self) -> ServedModel:
        """The one that answers where none is named."""
        return next(iter(self.current.values()))

    def opened(self) -> dict[str, ServedModel]:
        """All models as they stand on the disk now, tried; nothing changes until they become `current`."""
        asked, found = self._settings, {}
        for name, folder in asked.models:
            how: dict[str, Any] = {"threads": asked.threads_each, "precision": asked.precision}
            predictor = open_model(folder, self._note, labels=asked.labels, **how)
            predictor.score([TRIED], {})
            patient = copy(predictor)
            patient.threads = max(1, predictor.threads - 1)
            bundle = predictor.bundle
            config = bundle.read(CONFIG) if CONFIG in bundle.manifest.files else None
            found[name] = ServedModel(name, predictor, patient, _about(name, predictor), config)
        return found


def _about(name: str, predictor: Predictor) -> dict[str, Any]:
    bundle = predictor.bundle
    run = bundle.manifest.data.get(RUN)
    return {
        "name": name,
        "folder": shown_model(bundle.path).rstrip("/").rpartition("/")[2],
        "labels": list(predictor.labels),
        "several": predictor.several,
        "ordered": predictor.ordered,
        "number": predictor.number,
        "spread": predictor.spread if predictor.number else None,
        **({"columns": columns_in_plain(predictor)} if predictor.columns else {}),
        "decision": asdict(predictor.decision),
        "precision": predictor.precision,
        "fingerprint": bundle.fingerprint(),
        "recipe": run.get("recipe") if isinstance(run, Mapping) else None,
        "finished": run.get("finished") if isinstance(run, Mapping) else None,
        "figures": _figures(bundle),
        "report": REPORT in bundle.manifest.files,
        UNKNOWN_TOKENS: usual.to_dict() if (usual := predictor.usual_unknown) else None,
        "card": predictor.model_card if CARD in bundle.manifest.files else None,
    }


def columns_in_plain(predictor: Predictor) -> list[dict[str, Any]]:
    """The other columns that a model reads, with their kinds and of categories their names."""
    found = predictor.extra_columns
    return [
        {
            "name": each.name,
            "kind": each.kind,
            **({"categories": list(each.categories)} if isinstance(each, CategoryColumn) else {}),
        }
        for each in (() if found is None else found.columns)
    ]


def _figures(bundle: Bundle) -> dict[str, Any] | None:
    """What the model reached when it was trained: on test rows, else on validation rows. None for an export."""
    if METRICS not in bundle.manifest.files:
        return None
    try:
        kept = json.loads(bundle.read(METRICS))
    except (ValueError, RecursionError):
        return None
    for side in ("test", "folds", "validation"):
        found = kept.get(side) if isinstance(kept, dict) else None
        if isinstance(found, dict):
            of_kinds = {"several": FIGURES_OF_SEVERAL, "ordered": FIGURES_OF_ORDERED, "number": FIGURES_OF_NUMBERS}
            names = of_kinds.get(bundle.manifest.kind, FIGURES)
            return {"side": side} | {name: value for name in names if _is_number(value := found.get(name))}
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and isfinite(value)
