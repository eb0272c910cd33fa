"""Whatever labels, texts, columns and paths hold: pages, charts and cards show it and do nothing else with it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markdown_it import MarkdownIt
from markdown_it.token import Token

from rnn_cli.data.rows import Dataset
from rnn_cli.evaluation.evaluate import by_values
from rnn_cli.export.export import export_card
from rnn_cli.reporting import canvas, html
from rnn_cli.reporting.canvas import save_charts
from rnn_cli.reporting.charts import draw_all
from rnn_cli.reporting.drawing import draw, in_markdown
from rnn_cli.reporting.html import model_card, page
from rnn_cli.reporting.report import Report, WrongPrediction
from rnn_cli.scoring.prediction import Part
from rnn_cli.text.plain import one_line, plain, shortened

from .conftest import Gather, Page, of_labels, report_of

HOSTILE = [
    "</script><script>alert(1)</script>",
    "{{7*7}}{% raw %}{# x #}",
    "\"><img src=x onerror=alert(1)> ' onload='alert(2)",
    "a|b\\",
    "line\nbreak\n\n# head\n\n- item\r\n    code",
    "`code` ```",
    "[x](javascript:alert(1)) ![y](http://elsewhere.example/y.png) [^1] [z][1]",
    "&lt;b&gt; &amp; ]]> <!-- --> <![CDATA[",
    "\u202eflow\u2066 \x1b[2J\x00\x9b \ud800 \ufeff \u2028 \u200fשלום",
    "www.elsewhere.example http://elsewhere.example me@elsewhere.example",
    "*a* _b_ ~~c~~ **d** $x^2$ $$y$$",
    "1. one",
    "- two",
    "=====",
    "_begins with an underscore",
    "> said",
    "x" * 400,
    "</style></title></svg><b>",
]
HARMLESS = [f"label {place}" for place in range(len(HOSTILE))]


def foreign(report: Report, words: Sequence[str]) -> Report:
    """The report as if all that a user names were called so: labels, a column and its values, files, texts."""
    made = of_labels(report, words, 1_500)
    evaluation, count = made.evaluation, len(words)
    values = [words[row % count] for row in range(1_500)]
    mistakes = tuple(
        WrongPrediction(word * 1_000 if place % 2 else word, place, word, words[-1 - place], 0.5, (Part(0, 3, 1.0),))
        for place, word in enumerate(words)
    )
    config = made.config.model_copy(
        update={"data": made.config.data.model_copy(update={"source": words[0].replace("/", "") + words[1]})}
    )
    manifest = replace(made.manifest, versions={words[2]: words[6], "rnn-cli": words[3]})
    return replace(
        made,
        config=config,
        config_text="".join(words),
        manifest=manifest,
        side=None,
        evaluation=replace(
            evaluation,
            dataset=replace(evaluation.dataset, name=words[9]),
            by=words[2],
            slices=tuple(by_values(evaluation.truth, evaluation.scores.probabilities, evaluation.predicted, values)),
        ),
        mistakes=mistakes,
        frequent=tuple(words),
    )


@pytest.fixture(scope="module")
def reports(trained: Path) -> tuple[Report, Report]:
    """The hostile one, and one that differs in what the words are alone."""
    report = report_of(trained, [("warm", "good"), ("dull", "bad")])
    return foreign(report, HOSTILE), foreign(report, HARMLESS)


@pytest.fixture(scope="module")
def pages(reports: tuple[Report, Report]) -> tuple[Page, Page]:
    hostile, harmless = (Page.read(page(report)) for report in reports)
    return hostile, harmless


def test_a_page_has_no_element_and_no_attribute_of_the_texts(pages: tuple[Page, Page]) -> None:
    hostile, harmless = pages
    kinds, usual = ({(tag, *sorted(attributes)) for tag, attributes in told.elements} for told in (hostile, harmless))
    assert kinds == usual
    assert not kinds & {("script",), ("img",)} and not hostile.outside()
    outside_charts = [tag for tag, _ in hostile.elements if tag in ("tr", "td", "li", "bdi", "section", "h2", "dt")]
    assert outside_charts == [tag for tag, _ in harmless.elements if tag in set(outside_charts)]


def test_a_page_shows_the_texts_as_they_are(pages: tuple[Page, Page]) -> None:
    told, _ = pages
    cells = {row[0].strip() for row in told.rows}
    for word in HOSTILE:
        assert one_line(word) in cells  # a name is on one line, as a browser would show it
        assert told.text.count(plain(word)) >= 2
    assert f"By {HOSTILE[2]}" in told.text


def test_charts_as_files_are_xml_that_shows_the_labels(
    reports: tuple[Report, Report], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canvas, "PICTURE_FORMATS", ("svg",))
    for report, name in zip(reports, ("hostile", "harmless"), strict=True):
        save_charts(draw_all(report), tmp_path / name, force=False)
    for file in (tmp_path / "hostile").glob("*.svg"):
        drawn, usual = (ElementTree.parse(tmp_path / name / file.name).getroot() for name in ("hostile", "harmless"))
        kinds = [{(each.tag, *sorted(each.attrib)) for each in root.iter()} for root in (drawn, usual)]
        assert kinds[0] == kinds[1]
    matrix = ElementTree.parse(tmp_path / "hostile" / "confusion.svg").getroot()
    words = [" ".join((each.text or "").split()) for each in matrix.iter("{http://www.w3.org/2000/svg}text")]
    for word in HOSTILE:
        assert shortened(word, 18) in words


def test_a_label_that_begins_with_an_underscore_has_its_curve_named(trained: Path, report_on: Gather) -> None:
    report = of_labels(report_on(trained, [("warm", "good")]), ["_a", "__b", "c"], 300)
    told = Page.read(page(report)).text
    for name in report.labels:
        assert told.count(f"{name}, area ") == 2  # ROC, and precision and recall


MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def tokens(markdown: str) -> Iterator[Token]:
    for token in MARKDOWN.parse(markdown):
        yield token
        yield from token.children or ()


def shown(markdown: str) -> str:
    """The text that a reader sees, blocks apart."""
    parts = [
        "".join(child.content for child in token.children or ()) if token.type == "inline" else token.content
        for token in MARKDOWN.parse(markdown)
    ]
    return "\n".join(parts)


def test_a_card_has_nothing_but_words_of_the_labels(reports: tuple[Report, Report]) -> None:
    made = []
    for report in reports:
        rows = Dataset("rows.csv", ["text"] * len(report.labels), [*report.labels], [*range(len(report.labels))])
        made.append(model_card(report, dict.fromkeys(("train", "validation", "test"), rows)))
    hostile, harmless = ([(each.type, each.attrs) for each in tokens(card)] for card in made)
    assert [kind for kind in hostile if kind[0] != "text"] == [kind for kind in harmless if kind[0] != "text"]
    assert [attributes["href"] for kind, attributes in hostile if kind == "link_open"] == ["report.html"]
    assert not {"html_inline", "html_block", "image"} & {kind for kind, _ in hostile}
    for word in HOSTILE:
        assert one_line(word) in shown(made[0]).splitlines()
    # GitHub makes links of bare addresses too, but not of these.
    assert "http://" not in made[0] and "www." not in made[0] and r"\@" in made[0]


def test_an_exports_readme_has_nothing_but_words_of_the_labels(reports: tuple[Report, Report]) -> None:
    made = [export_card(replace(report.manifest, unsure_below=0.5), "fp32") for report in reports]
    hostile, harmless = ([(each.type, each.attrs) for each in tokens(card) if each.type != "text"] for card in made)
    assert hostile == harmless
    assert f"labels: {', '.join(map(one_line, HOSTILE))}. Trained by" in shown(made[0]).replace("\n", " ")
    assert '# [{"label": ..., "probability": ..., "probabilities": {...}}]' in made[0]


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("ab1 \n\t\\`*_{}[]()<>#+-=.!|~&;:/@$\"'^%\x07é"), max_size=12))
@example("1)")
@example("a\\|")
@example("<a@b.c>")
@example("http://a")
@example("---")
@example("&#35;")
def test_any_value_in_markdown_is_shown_as_it_is(word: str) -> None:
    written = in_markdown(word)
    assert shown(written).strip() == one_line(word)
    assert shown(f"- {written}").strip() == one_line(word)
    table = f"| a | b |\n| --- | --- |\n| {written} | c |\n"
    cells = [token.children or [] for token in MARKDOWN.parse(table) if token.type == "inline"]
    assert ["".join(part.content for part in cell).strip() for cell in cells] == ["a", "b", one_line(word), "c"]


def test_no_template_lets_a_value_through() -> None:
    """Two ways there are to call a value safe; the pictures of a page, which we draw ourselves, go one of them."""
    found = []
    for file in sorted(Path(html.__file__).with_name("templates").iterdir()):
        found += re.findall(r"[\w.\[\]]+\s*\|\s*safe|autoescape|Markup", file.read_text("utf-8"))
    assert found == ["pictures[name]|safe", *["pictures[chart.name]|safe"] * 2]


@pytest.mark.parametrize("template", ["report.html", "card.md", "export.md"])
def test_a_value_that_is_not_there_is_an_error(template: str) -> None:
    with pytest.raises(UndefinedError):
        draw(template)
