"""What a run keeps as CSV: its epochs, and what was answered to each row. Knows nothing of folders."""

import csv

import numpy as np
import pandas as pd

from rnn_cli.evaluation.evaluate import Evaluation


def answered(evaluation: Evaluation) -> pd.DataFrame:
    """One row a text: text, label (the true one), the prediction's probability and the prediction.

    For a model that may be unsure also whether it is.
    """
    probabilities = evaluation.scores.probabilities
    columns = {
        "text": evaluation.dataset.texts,
        "label": evaluation.dataset.labels,
        "probability": probabilities[np.arange(len(evaluation.answers)), evaluation.answers],
        "prediction": [evaluation.figures.labels[answer] for answer in evaluation.answers],
    }
    if evaluation.decision.unsure_below:
        columns["unsure"] = np.where(evaluation.decision.unsure(probabilities), "true", "false").tolist()
    return pd.DataFrame(columns)


def to_csv(table: pd.DataFrame) -> str:
    """The table as CSV text, all texts quoted."""
    # Before Python 3.13 a lone CR in a text that is not quoted would stand bare and end the row.
    return table.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
