"""The colours of charts and pages, on light ground and on dark.

The series' are near Okabe and Ito's, which colour-blind readers can tell apart. Each light colour occurs once, so that
a chart drawn in them can be told to follow the reader's theme.
"""

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "paper": "#ffffff",
    "panel": "#f4f6f8",
    "ink": "#1b1f24",
    "muted": "#5a6470",
    "rule": "#d8dde3",
    "blue": "#0072b2",
    "red": "#c84e00",
    "green": "#008462",
    "purple": "#9b4f7f",
    "brown": "#8a6212",
}
DARK: Mapping[str, str] = {
    "paper": "#14181d",
    "panel": "#1d2329",
    "ink": "#e6e9ed",
    "muted": "#a0abb7",
    "rule": "#39424c",
    "blue": "#5cb8ee",
    "red": "#ff9455",
    "green": "#45cfa4",
    "purple": "#e3a1c8",
    "brown": "#dfb45c",
}

SERIES = ("blue", "red", "green", "purple", "brown")
