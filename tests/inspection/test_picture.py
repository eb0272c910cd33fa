"""The chart of a reading: what is drawn is what was found, words do not overlap, and a file appears whole."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from rnn_cli.errors import UsageError
from rnn_cli.inspection.decay import Decay, Lesson, Spread
from rnn_cli.inspection.picture import draw_growth, draw_lesson, save_picture
from rnn_cli.inspection.reading import Growth, States
from rnn_cli.inspection.tokens import Reading, Token
from rnn_cli.reporting.canvas import styled
from rnn_cli.scoring.decision import Decision


def growth(tokens: int, labels: int = 2, layers: int = 1) -> Growth:
    chance = np.random.default_rng(tokens)
    read = tuple(Token("abcdefghijklmnopqrst"[: 1 + place % 19], 1 + place % 3, True) for place in range(tokens))
    probabilities = chance.dirichlet(np.ones(labels), tokens)
    decision = Decision(0.5, 0.3)
    return Growth(
        reading=Reading("", read, tuple(token.id for token in read), ()),
        tokens=read,
        gap=None,
        labels=tuple(f"_label ${number}" for number in range(labels)),
        decision=decision,
        lengths=np.arange(1, tokens + 1),
        probabilities=probabilities,
        choices=decision.choose(probabilities),
        unsure=decision.unsure(probabilities),
        known=True,
        states=tuple(
            States(layer, backward, chance.uniform(-1, 1, (tokens, 16)).astype(np.float32))
            for layer in range(1, layers + 1)
            for backward in (False, True)
        ),
    )


@pytest.mark.parametrize(("tokens", "labels", "layers"), [(1, 2, 1), (5, 7, 2), (40, 2, 1), (200, 3, 3), (1500, 2, 1)])
def test_nothing_overlaps(tokens: int, labels: int, layers: int) -> None:
    with styled("test"):
        figure = draw_growth(growth(tokens, labels, layers))
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        words = [each for each in figure.axes[2 * layers].get_xticklabels() if each.get_text()]
        boxes = sorted((each.get_window_extent() for each in words), key=lambda box: box.x0)
        panels = [axes.get_tightbbox() for axes in figure.axes[: 2 * layers + 1]]
        edge = figure.bbox
    assert len(words) == tokens or 25 <= len(words) < tokens
    assert all(left.x1 <= right.x0 for left, right in zip(boxes, boxes[1:], strict=False))
    assert all(upper.y0 >= lower.y1 - 1 for upper, lower in zip(panels, panels[1:], strict=False))
    assert all(box.x0 >= edge.x0 - 1 and box.x1 <= edge.x1 + 1 and box.y0 >= edge.y0 - 1 for box in [*panels, *boxes])


def test_what_is_drawn_is_what_was_found() -> None:
    found = growth(9)
    with styled("test"):
        figure = draw_growth(found)
    curve, *_ = figure.axes[0].lines
    np.testing.assert_array_equal(np.asarray(curve.get_ydata()), found.probabilities[:, 1])
    (image,) = figure.axes[1].images
    units = found.states[0].most_moved(12)
    np.testing.assert_array_equal(np.asarray(image.get_array()), found.states[0].values[:, units].T)
    assert [each.get_text() for each in figure.axes[1].get_yticklabels()] == [str(unit) for unit in units]
    marked = [each.get_text().endswith("?") for each in figure.axes[2].get_xticklabels()]
    assert marked == [token.id == 1 for token in found.tokens]


def test_gradients_have_plain_numbers_beside_the_axis() -> None:
    curve = 0.9 ** np.arange(120)
    with styled("test"):
        spread = Spread(curve, curve**2, curve**0.5)
        figure = draw_lesson(Lesson("a$b.csv", "word", 3, 120, 4, 5, 1.0, 5, (Decay("lstm", spread, spread),)))
        FigureCanvasAgg(figure).draw()
    shown = [each.get_text() for each in figure.axes[0].get_yticklabels()]
    assert {"1", "0.1", "0.001"} <= set(shown) and not any("$" in each for each in shown)


def test_gradients_have_their_band_about_the_mean() -> None:
    curve = 0.95 ** np.arange(100)
    with styled("test"):
        spread = Spread(curve, curve**2, curve**0.5)
        figure = draw_lesson(Lesson("a.csv", "word", 3, 100, 4, 5, 1.0, 0, (Decay("lstm", spread, None),)))
    (band,) = figure.axes[0].collections
    corners = np.asarray(band.get_paths()[0].vertices)
    drawn = {float(x): corners[corners[:, 0] == x, 1] for x in (10, 50, 99)}
    for x, ys in drawn.items():
        assert (ys.min(), ys.max()) == pytest.approx((curve[int(x)] ** 2, curve[int(x)] ** 0.5))


@pytest.mark.parametrize(("name", "begins"), [("a.png", b"\x89PNG"), ("a.SVG", b"<?xml")])
def test_a_chart_is_a_file_the_same_each_time(tmp_path: Path, name: str, begins: bytes) -> None:
    out = tmp_path / name
    save_picture(growth(4), out, force=False)
    first = out.read_bytes()
    assert first.startswith(begins)
    with pytest.raises(UsageError, match="exists"):
        save_picture(growth(5), out, force=False)
    assert out.read_bytes() == first
    save_picture(growth(4), out, force=True)
    assert out.read_bytes() == first
    assert [each.name for each in tmp_path.iterdir()] == [name]
