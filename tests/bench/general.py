"""How good the recipe `general` is on a source that it has not seen, beside VADER and TextBlob.

    pip install vaderSentiment textblob
    python tests/bench/general.py OUT.json [SOURCE ...]

In a folder that has the recipe's files (docs/general.md). For each source the recipe is trained without it and measured
on all of its opinions, with the labels negative and positive; `phrases` are left out together with
`rotten_tomatoes`. The peers say positive where their score is above 0, and their ROC AUC is that of the score.
Takes some 15 minutes a source on two cores. OUT.json also says from which margin on predictions are right in 90 % of
the reviews left out, which `python -m rnn_cli.models.package` takes.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import f1_score, roc_auc_score

import rnn_cli as rnn
from rnn_cli.config.load import load_config
from rnn_cli.data.mixture import load_mixture
from rnn_cli.data.rows import Dataset
from rnn_cli.evaluation.intervals import wilson_interval

LEFT_OUT = {
    "rotten_tomatoes": ("rotten_tomatoes", "rated_phrases.parquet"),
    "tweets": ("tweets",),
    "products": ("product_reviews.parquet", "product_reviews_unlabelled.parquet"),
}
"""The sources that are left out, by the name of what is measured."""

MEASURED = {"rotten_tomatoes": "rotten_tomatoes", "tweets": "tweets", "products": "product_reviews.parquet"}

OF_ITS_KIND = ("rotten_tomatoes", "products")
"""What the general model is for: on these, so many of the sure predictions are to be right."""

SURE = 0.9

Score = Callable[[str], float]


def main() -> None:
    out, names = Path(sys.argv[1]), sys.argv[2:] or list(LEFT_OUT)
    found: dict[str, Any] = {}
    sure: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    peers = {"VADER": vader(), "TextBlob": textblob()}
    for name in names:
        config = load_config("general")
        assert config.data.sources is not None
        kept = [each for each in config.data.sources if each.called not in LEFT_OUT[name]]
        (source,) = (each for each in config.data.sources if each.called == MEASURED[name])
        whole = source.model_copy(update={"rows": None, "optional": False})
        rows = load_mixture(config.data, [whole])
        with tempfile.TemporaryDirectory() as folder:
            sources = [each.model_dump() for each in kept]
            model = rnn.train("general", out=f"{folder}/model", **{"data.sources": sources}).model
            found[name], sure[name] = measured(model, rows, peers)
        show(name, found[name])
    threshold = max(margin_for(SURE, *sure[name]) for name in names if name in OF_ITS_KIND)
    for name, (margins, right) in sure.items():
        kept_rows = margins >= threshold
        found[name]["sure"] = {"share": float(kept_rows.mean()), "right": float(right[kept_rows].mean())}
    print(f"sure from a margin of {threshold:.3f}:", {name: each["sure"] for name, each in found.items()})
    out.write_text(json.dumps({"left_out": found, "unsure_below": threshold}, indent=1) + "\n")


def measured(
    model: rnn.Predictor, rows: Dataset, peers: dict[str, Score]
) -> tuple[dict[str, Any], tuple[np.ndarray, np.ndarray]]:
    """The figures of a model and its peers; the margin of each opinion, and whether its prediction is right."""
    found: dict[str, Any] = {"rows": len(rows)}
    opinions = rows.select(row for row, label in enumerate(rows.labels) if label != "neutral")
    truth = np.array(opinions.labels) == "positive"
    found["opinions"] = len(opinions)
    found["rnn"] = accuracy_and_area(
        truth, model.among(["negative", "positive"]).predict_proba(opinions.texts)[:, 1] - 0.5
    )
    for name, score in peers.items():
        found[name] = accuracy_and_area(truth, np.array([score(text) for text in opinions.texts]))
    if len(opinions) < len(rows):
        predicted = [each.label for each in model.predict(rows.texts)]
        found["macro_f1"] = float(f1_score(rows.labels, predicted, average="macro"))
    probabilities = model.predict_proba(opinions.texts)
    right = np.array(model.labels)[probabilities.argmax(axis=1)] == opinions.labels
    return found, (model.decision.margins(probabilities), right)


def accuracy_and_area(truth: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """Accuracy with its interval, and ROC AUC, of scores that are above 0 for positive."""
    hits = int(((scores > 0) == truth).sum())
    low, high = wilson_interval(hits, len(truth))
    return {"accuracy": hits / len(truth), "interval": [low, high], "roc_auc": float(roc_auc_score(truth, scores))}


def margin_for(share: float, margins: np.ndarray, right: np.ndarray) -> float:
    """The least margin from which on so large a share of the predictions is right."""
    order = np.argsort(-margins)
    good = np.flatnonzero(np.cumsum(right[order]) / np.arange(1, len(order) + 1) >= share)
    return float(margins[order[good[-1]]]) if len(good) else float("inf")


def vader() -> Score:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    return lambda text: float(analyzer.polarity_scores(text)["compound"])


def textblob() -> Score:
    from textblob import TextBlob

    return lambda text: float(TextBlob(text).sentiment.polarity)


def show(name: str, found: dict[str, Any]) -> None:
    print(f"{name}: {found['opinions']:,} opinions of {found['rows']:,} rows")
    for who in ("rnn", "VADER", "TextBlob"):
        low, high = found[who]["interval"]
        print(f"  {who:9} {found[who]['accuracy']:.1%} ({low:.1%} to {high:.1%}), ROC AUC {found[who]['roc_auc']:.3f}")


if __name__ == "__main__":
    main()
