"""How probabilities are decided, chosen on validation rows."""

from collections.abc import Mapping

from rnn_cli.bundle import PREDICTIONS, Bundle
from rnn_cli.config import DecisionConfig
from rnn_cli.data.reading.readers import read_columns
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import BundleError
from rnn_cli.evaluation.answers import LONGEST
from rnn_cli.evaluation.decide import decide, refuse_unsuitable
from rnn_cli.evaluation.evaluate import run_config, true_labels
from rnn_cli.scoring.predictor import Predictor

COLUMNS = ("text", "label", "split")


def kept_validation_rows(opened: Bundle) -> Dataset:
    """The rows that chose a run's epoch, from its folder; raises `BundleError` if it is damaged."""
    path = str(opened.verify(PREDICTIONS))
    found = read_columns(path, lambda _: COLUMNS, max_field_bytes=LONGEST)
    rows = [(text or "", label or "", line) for line, (text, label, split) in found if split == "validation"]
    if not rows:
        raise BundleError("has no validation rows", where=path)
    texts, labels, lines = (list(column) for column in zip(*rows, strict=True))
    return Dataset(path, texts, labels, lines)


def decided_anew(
    opened: Bundle, predictor: Predictor, asked: Mapping[str, float | str]
) -> tuple[Predictor, tuple[str, ...]]:
    """The same network deciding by a run's config but for the keys asked for: goal, threshold, abstain, abstain_error.

    They mean what they mean in a config's `decision`, and the run's own validation rows choose. With it, in words,
    which wishes no decision meets there. Raises `ConfigError` and `BundleError`.
    """
    excluded = {"goal": "threshold", "threshold": "goal", "abstain": "abstain_error", "abstain_error": "abstain"}
    overrides = [f"decision.{excluded[key]}=null" for key in asked if excluded[key] not in asked]
    config = run_config(opened, [*overrides, *(f"decision.{key}={value}" for key, value in asked.items())])
    refuse_unsuitable(config.decision, predictor.labels)
    return decided(predictor, kept_validation_rows(opened), config.decision)


def decided(predictor: Predictor, validation: Dataset, config: DecisionConfig) -> tuple[Predictor, tuple[str, ...]]:
    """The same network deciding as serves the config best on the validation rows.

    With it, in words, which of the config's wishes no decision meets there.
    """
    truth = true_labels(validation, predictor.labels)
    chosen = decide(config, truth, predictor.score(validation.texts).probabilities)
    return predictor.adjusted(decision=chosen.decision), chosen.shortfalls
