"""The kinds of labels that texts have (`data.labels`), and what the network gives for each. Loads nothing.

Whoever adds a kind adds it here, a calibration and a decision in `rnn_cli.scoring`, and what it is measured by in
`rnn_cli.evaluation`; the rooms between these take the kind's outputs from here.
"""

from typing import Literal, NamedTuple

LabelsKind = Literal["single", "several", "ordered", "number"]
"""One label a text; several of them, or none; one of labels in an order, such as ratings; or a number."""

LEAST_ORDERED = 3
"""Ordered labels are at least so many: two have an order anyway."""


NUMBER_FIGURES = (
    "mean_absolute_error",
    "median_absolute_error",
    "root_mean_squared_error",
    "r2",
    "spearman",
    "mean_error",
)
"""What predicted numbers are measured by."""


class Outputs(NamedTuple):
    """What a network is built for: `classes`, of which a text has one, or with `several` any number by themselves."""

    classes: int
    several: bool

    @property
    def width(self) -> int:
        """The number of logits: one for two classes of which a text has one."""
        return 1 if self.classes == 2 and not self.several else self.classes


def outputs_of(kind: LabelsKind, labels: int) -> Outputs:
    """What the network of a kind gives for so many labels.

    For ordered labels it decides for each but the last whether the text's label is above it. A number, which needs no
    labels, has one output, as two classes have.
    """
    if kind == "number":
        return Outputs(2, several=False)
    if kind == "ordered":
        return Outputs(labels - 1, several=True)
    return Outputs(labels, several=kind == "several")
