"""The model card: what a model is for, what it learned from, how good it is and where it is not, as Markdown.

Source: Mitchell et al. (2019), Model cards for model reporting.
"""

from collections.abc import Mapping
from pathlib import Path

from rnn_cli.bundle import FURTHER, INT8_MODEL
from rnn_cli.data.builtin import BUILTIN
from rnn_cli.data.reading.remote import shown
from rnn_cli.evaluation import wording
from rnn_cli.reporting import words
from rnn_cli.reporting.content import Report
from rnn_cli.reporting.drawing import draw
from rnn_cli.scoring.decision import Decision
from rnn_cli.text.plain import shortened

MOST_LABELS = 50
"""Labels that are counted in a table of their own; of more only the number is told."""

Counts = Mapping[str, Mapping[str, int]]
"""How many rows of each label each side of the data has: side → label → rows."""


def model_card(report: Report, counts: Counts) -> str:
    """The card as Markdown; `counts` are those of the sides `train`, `validation` and, if there is one, `test`."""
    source = report.config.data.source
    return draw(
        "card.md",
        report=report,
        counts=counts,
        wording=wording,
        words=words,
        models=words.models(report),
        unit=words.unit_of(report),
        tokenizer=report.config.tokenizer,
        reading=report.evaluation.reading,
        frequent=[shortened(token, 24) for token in report.frequent],
        source=Path(shown(source)).name,
        known=BUILTIN.get(source),
        listed=report.labels if len(report.labels) <= MOST_LABELS else (),
        began_as_another=FURTHER in report.manifest.data,
        has_int8=INT8_MODEL in report.manifest.files,
        default_threshold=len(report.labels) == 2 and report.evaluation.decision.threshold == Decision().threshold,
    )
