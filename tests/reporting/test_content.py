"""What a report is made of: the worst mistakes, what a model reads, words marked in a text."""

from pathlib import Path

import pytest

from rnn_cli.reporting import html, report
from rnn_cli.reporting.charts import NAME_CHARACTERS, named
from rnn_cli.reporting.html import excerpt, marked
from rnn_cli.reporting.report import WrongPrediction, worst_predictions
from rnn_cli.scoring.prediction import Part
from rnn_cli.scoring.predictor import Predictor

from .conftest import Gather


def test_the_surest_wrong_answers_come_first(trained: Path, report_on: Gather) -> None:
    rows = [
        ("warm", "bad"),
        ("dull", "bad"),
        ("warm warm lovely film", "bad"),
        ("the plot dull", "good"),
        ("warm", "good"),
    ]
    report = report_on(trained, rows)
    found = report.mistakes
    assert {(each.line, each.prediction, each.label) for each in found} == {
        (2, "good", "bad"),
        (4, "good", "bad"),
        (5, "bad", "good"),
    }
    sure = [each.probability for each in found]
    assert sure == sorted(sure, reverse=True)
    for each in found:
        row = each.line - 2
        place = report.labels.index(each.prediction)
        assert each.probability == report.evaluation.scores.probabilities[row, place]
        strongest = max(each.parts, key=lambda part: part.weight)
        assert each.text[strongest.start : strongest.end] in {"warm", "lovely", "dull"}


def test_labels_in_charts_can_be_told_apart() -> None:
    labels = ["politics and society: north", "politics and society: south", "sports"]
    shown = named(labels)
    assert list(shown) == labels and len(set(shown.values())) == 3
    assert all(len(name) <= NAME_CHARACTERS for name in shown.values())


def test_no_more_mistakes_are_explained_than_shown(
    trained: Path, report_on: Gather, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = report_on(trained, [("warm", "bad")] * 60)
    assert len(report.mistakes) == 50
    monkeypatch.setattr("rnn_cli.reporting.report.CHARACTERS_EXPLAINED", 3)
    unexplained = worst_predictions(Predictor.open(trained), report.evaluation, most=2)
    assert [each.parts for each in unexplained] == [(), ()]


def test_long_texts_are_explained_in_fewer_parts(
    trained: Path, report_on: Gather, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "warm film plot actors music scene story ending whole evening"
    assert [len(each.parts) for each in report_on(trained, [(text, "bad")]).mistakes] == [10]
    monkeypatch.setattr(report, "TOKENS_EXPLAINED", 1)
    assert [len(each.parts) for each in report_on(trained, [(text, "bad")]).mistakes] == [report.FEWEST_PARTS]


TEXT = "So <good>, so dull! And more, never read"
PARTS = (Part(0, 2, 0.01), Part(4, 8, 1.0), Part(11, 13, -0.2), Part(14, 18, -1.0))


def test_words_are_marked_by_what_they_said() -> None:
    assert marked(TEXT, PARTS, 0, len(TEXT)) == [
        ("So", ""),
        (" <", ""),
        ("good", "for s4"),
        (">, ", ""),
        ("so", "against s1"),
        (" ", ""),
        ("dull", "against s4"),
        ("! And more, never read", "unread"),
    ]


@pytest.mark.parametrize("start", range(0, 20, 3))
@pytest.mark.parametrize("stop", range(20, 40, 7))
def test_a_part_of_a_text_is_cut_within_its_words_too(start: int, stop: int) -> None:
    pieces = marked(TEXT, PARTS, start, stop)
    assert "".join(words for words, _ in pieces) == TEXT[start:stop]
    spoke = [kind for _, kind in pieces if kind not in ("", "unread")]
    assert len(spoke) == sum(part.end > start for part in PARTS[1:])


def test_a_text_that_was_not_explained_is_not_called_unread() -> None:
    assert marked("plain words", (), 0, 11) == [("plain words", "")]


def test_a_long_text_is_shown_about_its_strongest_word() -> None:
    text = "word " * 400
    mistake = WrongPrediction(text, 2, "good", "bad", 0.9, (Part(0, 4, 0.1), Part(1000, 1004, 2.0)))
    start, stop = excerpt(mistake) or (0, 0)
    assert start < 1000 and stop > 1004 and stop - start <= html.EXCERPT
    assert text[start:stop].startswith("word") and text[start:stop].endswith("word")
    unbroken = WrongPrediction("x" * 1000, 2, "good", "bad", 0.9, ())
    assert excerpt(unbroken) == (0, html.EXCERPT)
    assert excerpt(WrongPrediction("x" * html.FOLDED_FROM, 2, "good", "bad", 0.9, ())) is None
