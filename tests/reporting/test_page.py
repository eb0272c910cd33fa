"""The report's page: the right numbers, well-formed, and harmless whatever the texts hold."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from rnn_cli.bundle.model_folder import REPORT, Bundle
from rnn_cli.bundle.targets import NEAR, REPORT_MARK
from rnn_cli.config.schema import DecisionConfig
from rnn_cli.evaluation.compare import kept_baseline, kept_choice
from rnn_cli.evaluation.evaluate import evaluate_predictor, kept_test_rows
from rnn_cli.evaluation.metrics import measure
from rnn_cli.evaluation.standing import with_standing
from rnn_cli.reporting.html import page
from rnn_cli.reporting.report import Report, gather_report
from rnn_cli.scoring.predictor import Predictor

from .conftest import Gather, Page, of_labels

EVIL = [
    "warm <script>alert(1)</script> film",
    'warm "><img src=http://elsewhere.example/x.png onerror=alert(2)> film',
    "warm \u202e\u2066 mlif \x00 \x07 \x1b[2J \ufeff film",
    "warm </p></li></body></html> film <!-- ",
    "warm &lt;b&gt; ]]> <![CDATA[ film",
    "warm فيلم שלום film",
    "warm\r\nfilm\nlines\ttabs",
]


def test_the_bundles_report_has_the_figures_of_its_test_rows(trained: Path) -> None:
    opened = Bundle.open(trained)
    told = Page.read(opened.read(REPORT).decode("utf-8"))
    against = kept_baseline(opened, "test")
    metrics = evaluate_predictor(Predictor(opened), kept_test_rows(opened)).metrics
    assert against is not None
    low, high = metrics.intervals["accuracy"] or (0, 0)
    assert told.row("accuracy")[1].split() == [f"{metrics.accuracy:.1%}", f"{low:.1%}–{high:.1%}"]
    assert told.row("accuracy")[2].split()[0] == f"{against.metrics.accuracy:.1%}"
    assert told.row("log loss")[1].split()[0] == f"{metrics.log_loss:.3f}"
    assert told.row("ROC AUC")[2].split()[0] == f"{against.metrics.roc_auc:.3f}"
    for label, row in metrics.per_class.items():
        cells = [cell.split()[0] for cell in told.row(label)[1:]]
        assert cells == [f"{row.precision:.3f}", f"{row.recall:.3f}", f"{row.f1:.3f}", f"{row.support}"]
    assert "16 test rows, which training did not see" in told.text
    assert "On the 16 test rows the network " in told.text
    assert str(opened.manifest.data["fingerprint"]) in told.text
    assert f"tensorflow{opened.manifest.versions['tensorflow']}" in told.text
    charts = [attributes["aria-label"] for tag, attributes in told.elements if tag == "svg"]
    assert charts == [
        "Confusion matrix", "ROC curve", "Precision and recall", "Scores", "Reliability", "Loss by epoch",
        "Accuracy by epoch",
    ]  # fmt: skip


@pytest.mark.parametrize("bands", [1, 5])
def test_figures_by_length_are_one_chapter_asked_for_or_not(trained: Path, report_on: Gather, bands: int) -> None:
    rows = [("warm " * (1 + place % bands), "good") for place in range(25 * bands)]
    report = report_on(trained, rows)
    assert len(report.slices) == bands
    html = page(replace(report, evaluation=replace(report.evaluation, by="length", slices=tuple(report.slices))), {})
    assert html.count("<h2>By length</h2>") == 1
    assert html.startswith("<!DOCTYPE html>\n")


def test_a_report_made_later_is_the_same(trained: Path, labelled_file: Path) -> None:
    assert labelled_file.exists()
    opened = Bundle.open(trained)
    predictor = Predictor(opened)
    evaluation = with_standing(
        evaluate_predictor(predictor, kept_test_rows(opened)), kept_choice(opened)[0], DecisionConfig(), None
    )
    again = page(gather_report(opened, predictor, replace(evaluation, baseline=kept_baseline(opened, "test")), "test"))
    assert again == opened.read(REPORT).decode("utf-8")


def test_texts_that_mean_harm_are_only_shown(trained: Path, report_on: Gather) -> None:
    html = page(report_on(trained, [(text, "bad") for text in EVIL] + [("dull", "bad"), ("warm", "good")]))
    told = Page.read(html)
    assert not {tag for tag, _ in told.elements} & {"script", "img", "iframe", "object", "link", "base", "form"}
    assert not [key for _, attributes in told.elements for key in attributes if key.startswith("on")]
    assert not told.outside()
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]", html)
    shown = " ".join(told.text.split())
    for text in (EVIL[0], EVIL[1], EVIL[3], EVIL[4], EVIL[5]):
        assert text.strip() in shown
    assert "warm \ufffd\ufffd mlif \ufffd \ufffd \ufffd[2J \ufffd film" in shown


def test_a_page_is_whole_in_itself(trained: Path) -> None:
    html = (trained / REPORT).read_text(encoding="utf-8")
    told = Page.read(html)
    assert REPORT_MARK in html[:NEAR]
    assert "default-src 'none'; style-src 'unsafe-inline'" in html
    assert not told.outside()
    assert set(re.findall(r"https?://[^\"' ]+", html)) == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    ids = [attributes["id"] for _, attributes in told.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    used = re.findall(r"(?:href=\"|url\()#([\w.-]+)", html)
    assert used and set(used) <= set(ids)
    assert set(re.findall(r"var\(--([a-z]+)\)", html)) - {"mark"} <= set(re.findall(r"--([a-z]+): #", html))


def test_odd_labels_are_only_shown(trained: Path, report_on: Gather) -> None:
    report = report_on(trained, [("warm", "good"), ("dull", "bad"), ("warm", "bad")])
    names = ("<b>$x$</b>", "\u202eبد\x00")
    manifest = replace(report.manifest, labels=names)
    found = report.evaluation
    dataset = replace(found.dataset, labels=[names[index] for index in found.truth])
    metrics = measure(names, found.truth, found.scores.probabilities, found.predicted)
    evaluation = replace(found, dataset=dataset, metrics=metrics)
    told = Page.read(page(replace(report, manifest=manifest, evaluation=evaluation)))
    assert told.text.count("<b>$x$</b>") > 3
    assert told.text.count("\ufffdبد\ufffd") > 2


def test_where_all_is_right_or_of_one_label_less_is_shown(trained: Path, report_on: Gather) -> None:
    told = Page.read(page(report_on(trained, [("warm", "good"), ("lovely", "good")])))
    assert "There are none: every prediction is right." in told.text
    assert told.row("ROC AUC")[1] == "– a label has no row"
    assert "ROC curve" not in told.text and "Precision and recall" not in told.text
    assert "linear baseline" not in told.text


def many_labels(report: Report, count: int, rows: int) -> Report:
    return of_labels(report, [f"label {place}" for place in range(count)], rows)


@pytest.mark.parametrize(("count", "matrix"), [(3, True), (12, True), (41, False)])
def test_of_many_labels_the_worst_are_drawn(count: int, matrix: bool, trained: Path, report_on: Gather) -> None:
    report = many_labels(report_on(trained, [("warm", "good")]), count, 2_000)
    told = Page.read(page(report))
    assert ("Confusion matrix" in told.text) == matrix
    assert "Most frequent confusions" in told.text
    drawn = re.findall(r"label \d+, area ", told.text)
    assert len(drawn) == 2 * min(count, 10)  # ROC, and precision and recall
    worst = min(report.evaluation.metrics.per_class.items(), key=lambda each: each[1].f1)[0]
    assert f"{worst}, area " in told.text


def test_many_rows_make_no_larger_page(trained: Path, report_on: Gather) -> None:
    few = report_on(trained, [("warm", "good")])
    assert len(page(many_labels(few, 2, 100_000))) < 150_000


def test_the_calibration_is_undone_in_the_reliability_diagram(trained: Path, report_on: Gather) -> None:
    report = many_labels(report_on(trained, [("warm", "good")]), 3, 500)
    plain, scaled = (replace(report, manifest=replace(report.manifest, temperature=each)) for each in (1.0, 1.7))
    assert "before calibration" not in page(plain)
    assert "before calibration, error" in page(scaled) and "as predicted (temperature 1.70)" in page(scaled)
