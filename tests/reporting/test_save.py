"""A report and its charts as files: where they may be written, and that they are whole."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from rnn_cli.bundle.targets import CHARTS, check_plots, check_report
from rnn_cli.errors import UsageError, WriteError
from rnn_cli.reporting import canvas
from rnn_cli.reporting.html import save_report

from .conftest import Gather

ROWS = [("warm", "good"), ("dull", "bad"), ("warm", "bad"), ("dull film", "good")]


def test_each_chart_is_a_png_and_an_svg(trained: Path, report_on: Gather, tmp_path: Path) -> None:
    save_report(report_on(trained, ROWS), out=tmp_path / "r.html", plots=tmp_path / "new" / "charts", force=False)
    files = sorted(file.name for file in (tmp_path / "new" / "charts").iterdir())
    assert files == sorted(f"{name}.{kind}" for name in CHARTS for kind in ("png", "svg"))
    for name in CHARTS:
        content = (tmp_path / "new" / "charts" / f"{name}.png").read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n") and content.endswith(b"IEND\xaeB`\x82")
        drawing = ElementTree.parse(tmp_path / "new" / "charts" / f"{name}.svg").getroot()
        words = "".join(drawing.itertext())
        assert {"confusion": "predicted", "loss": "Loss by epoch", "roc": "threshold 0.5"}.get(name, "") in words
    assert sorted(file.name for file in tmp_path.iterdir()) == ["new", "r.html"]


def test_the_same_report_gives_the_same_bytes(trained: Path, report_on: Gather, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_report(report_on(trained, ROWS), out=tmp_path / f"{name}.html", plots=tmp_path / name, force=False)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_only_earlier_reports_and_charts_are_replaced(trained: Path, report_on: Gather, tmp_path: Path) -> None:
    report = report_on(trained, ROWS)
    page, charts = tmp_path / "r.html", tmp_path / "charts"
    save_report(report, out=page, plots=charts, force=False)
    for check, out in ((check_report, page), (check_plots, charts)):
        with pytest.raises(UsageError, match="exists; use force=True"):
            check(out, force=False)
        check(out, force=True)
    page.write_text("<html>mine</html>")
    (charts / "mine.png").touch()
    with pytest.raises(UsageError, match="exists and is not a report"):
        check_report(page, force=True)
    with pytest.raises(UsageError, match="holds mine.png, which would be lost"):
        check_plots(charts, force=True)


def test_places_that_cannot_be_are_refused(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for check, out, told in (
        (check_report, tmp_path / "r.txt", "is not the name of an HTML file; use r.html"),
        (check_report, tmp_path / "no" / "r.html", "no such folder"),
        (check_report, trained / "more.html", "is a trained model's folder"),
        (check_report, trained / "report.html", "is a trained model's folder"),
        (check_plots, trained / "charts", "is a trained model's folder"),
        (check_plots, trained, "is a trained model's folder"),
        (check_plots, tmp_path / "file", "is not a folder"),
    ):
        with pytest.raises(UsageError, match=told):
            check(out, force=True)


def test_a_failure_leaves_the_earlier_files(
    trained: Path, report_on: Gather, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = report_on(trained, ROWS)
    page, charts = tmp_path / "r.html", tmp_path / "charts"
    save_report(report, out=page, plots=charts, force=False)
    before = {file: file.read_bytes() for file in (page, *charts.iterdir())}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rnn_cli.system.fsync", full)
    with pytest.raises(WriteError, match="r.html: cannot be written .no space left.*choose another report"):
        save_report(report, out=page, plots=None, force=True)
    with pytest.raises(WriteError, match="charts: cannot be written .no space left.*choose another plots"):
        save_report(report, out=None, plots=charts, force=True)
    monkeypatch.setattr("rnn_cli.system.fsync", lambda path: None)
    monkeypatch.setattr(canvas, "PICTURE_FORMATS", ("png", "none"))
    monkeypatch.setattr(canvas, "NO_DATE", {"png": {}, "none": {}})
    with pytest.raises(ValueError, match="none"):
        save_report(report, out=None, plots=charts, force=True)
    assert {file: file.read_bytes() for file in (page, *charts.iterdir())} == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["charts", "r.html"]
