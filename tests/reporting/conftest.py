"""Reports on the tiny model, and a reader of pages that forgives nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.data.rows import Dataset
from rnn_cli.evaluation.evaluate import evaluate_predictor
from rnn_cli.evaluation.metrics import measure
from rnn_cli.reporting.report import Report, gather_report
from rnn_cli.scoring.predictor import Predictor, Scores

Rows = Sequence[tuple[str, str]]
Gather = Callable[[Path, Rows], Report]

VOID = {"meta", "link", "br", "img", "input", "hr"}
FETCHING = {"src", "href", "xlink:href", "action", "data", "poster", "srcset", "background"}


@pytest.fixture(autouse=True)
def charts_in_pages() -> None:
    """As users see them."""


@dataclass
class Page(HTMLParser):
    """What a page holds; raises `AssertionError` where an element is not closed in its place."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    @classmethod
    def read(cls, html: str) -> "Page":
        page = cls()
        page.feed(html)
        page.close()
        assert not page.open
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += " " + data

    @property
    def text(self) -> str:
        return "".join(self.words)

    def row(self, name: str) -> list[str]:
        """The cells of the table's row that begins with this one."""
        return next([cell.strip() for cell in row] for row in self.rows if row[0].strip() == name)

    def outside(self) -> list[str]:
        """All that a browser might fetch for the page."""
        named = [value or "" for _, attributes in self.elements for key, value in attributes.items() if key in FETCHING]
        styled = [attributes.get("style") or "" for _, attributes in self.elements]
        return [each for each in named if not each.startswith("#")] + [
            each for each in styled if "url(" in each and "url(#" not in each
        ]


def report_of(model: Path, rows: Rows) -> Report:
    """What the model in a folder makes of labelled texts."""
    opened = Bundle.open(model)
    predictor = Predictor(opened)
    dataset = Dataset(
        "rows.csv", [text for text, _ in rows], [label for _, label in rows], list(range(2, len(rows) + 2))
    )
    return gather_report(opened, predictor, evaluate_predictor(predictor, dataset), None)


@pytest.fixture
def report_on() -> Gather:
    """The same as a fixture."""
    return report_of


def of_labels(report: Report, names: Sequence[str], rows: int) -> Report:
    """The report as if it were of these labels, of so many rows, and of scores drawn by chance."""
    chance = np.random.default_rng(3)
    labels, count = tuple(names), len(names)
    truth = chance.integers(0, count, rows)
    probabilities = chance.dirichlet(np.full(count, 0.3), rows)
    probabilities[np.arange(rows), truth] += 0.2
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    metrics = measure(labels, truth, probabilities, predicted)
    scores = Scores(probabilities, np.ones(rows, np.bool_))
    dataset = Dataset("rows.csv", ["text"] * rows, [labels[index] for index in truth], list(range(rows)))
    evaluation = replace(report.evaluation, dataset=dataset, scores=scores, predicted=predicted, metrics=metrics)
    return replace(report, manifest=replace(report.manifest, labels=labels), evaluation=evaluation)
