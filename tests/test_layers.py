"""The plan of the house: who may import whom."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "rnn_cli"

BASE = {"errors", "telemetry", "system", "outputs", "arrays", "formats", "kinds", "columns"}
MAY_IMPORT = {
    "errors": set(),
    "arrays": set(),
    "formats": set(),
    "kinds": set(),
    "telemetry": set(),
    # Other columns of a row as inputs: for those that read rows, fit to them, score and export.
    "columns": {"errors", "arrays"},
    "system": {"errors"},
    "outputs": {"system", "errors"},
    # Copies of a process that work for it: for those that score, and those that train.
    "forks": {"system", "errors"},
    "config": BASE,
    # When two texts are the same, for the split, the checks and what a model has learned from.
    "copies": {"text", *BASE},
    "bundle": {"copies", "config", *BASE},
    "data": {"copies", "config", *BASE},
    "text": BASE,
    # What linear models share, wherever they are: in a check of data, in training.
    "linear": {"text", "copies", *BASE},
    # Below those that write graphs and those that read them; of config it takes the types alone.
    "graph": {"config", *BASE},
    "network": {"graph", "config", *BASE},
    "scoring": {"forks", "graph", "text", "bundle", "config", *BASE},
    # Above data and scoring: it reads rows, has their texts scored, and writes the rows.
    "batch": {"scoring", "copies", "data", "bundle", *BASE},
    "evaluation": {"scoring", "copies", "data", "text", "bundle", "config", *BASE},
    "reporting": {"evaluation", "scoring", "data", "text", "bundle", "config", *BASE},
    # What a trained model tells of new labels: below training, and below the check whether that pays.
    "transfer": {"scoring", "graph", "linear", "copies", "data", "text", "bundle", "config", *BASE},
    # Above data and text, which know nothing of each other, and beside training.
    "checks": {"transfer", "linear", "copies", "data", "text", "bundle", "config", *BASE},
    # New texts beside those of training, of which a run keeps a summary.
    "monitoring": {"checks", "evaluation", "scoring", "copies", "data", "text", "bundle", "config", *BASE},
    "training": {
        *(
            "forks",
            "monitoring",
            "transfer",
            "reporting",
            "scoring",
            "evaluation",
            "network",
            "graph",
            "linear",
            "data",
            "text",
            "bundle",
            "config",
        ),
        *("copies", *BASE),
    },
    # A run reported to MLflow or TensorBoard.
    "tracking": {"training", "evaluation", "bundle", "config", *BASE},
    # Lines on stderr, wrapped on a terminal.
    "messages": set(),
    # A run's steps on stderr.
    "progress": {"messages", "training", "text", "bundle", *BASE},
    # A model held against what it must reach: figures of evaluation, and behaviour tests.
    "gates": {"inspection", "evaluation", "scoring", "data", "text", "bundle", "config", *BASE},
    # A search over configs: many runs, of which one is kept; page and figures are those of its parts.
    "tuning": {
        *("gates", "training", "checks", "reporting", "evaluation", "batch", "scoring", "graph", "data", "text"),
        *("bundle", "config", *BASE),
    },
    # The order of work of each verb; of heavy libraries it loads what the called name needs.
    "api": {
        "tuning",
        "progress",
        "gates",
        "monitoring",
        "tracking",
        "training",
        "checks",
        "reporting",
        "batch",
        "evaluation",
        "scoring",
        "data",
        "bundle",
        "config",
        *BASE,
    },
    # An estimator of scikit-learn's around training and scoring; beside the verbs, of which it knows one.
    "classifier": {"api", "training", "scoring", "data", "bundle", "config", *BASE},
    # Above all that it writes the parts of: what a stranger needs to score, and the config that tells how to read rows.
    "export": {"reporting", "scoring", "text", "bundle", "config", *BASE},
    # The general model is written as an export is, and its recipe is a config.
    "models": {"export", "reporting", "network", "graph", "bundle", "config", *BASE},
    "inspection": {
        *("training", "reporting", "evaluation", "scoring", "network", "graph", "data", "text", "bundle", "config"),
        *BASE,
    },
    # A model in the loop beside answers; its figures are those of an evaluation.
    "labelling": {
        *("checks", "transfer", "evaluation", "linear", "copies", "data", "text", "bundle", "config"),
        *BASE,
    },
    # It answers what the verbs answer, and rows as `batch` writes them.
    "serving": {"api", "batch", "scoring", "data", "bundle", *BASE},
    # A sitting in a browser: the server's room around labelling.
    "labelling_page": {"serving", "labelling", "copies", *BASE},
    # A server's other end needs the standard library alone.
    "client": {"scoring", "errors"},
    "cli": {
        *("serving", "client", "labelling", "labelling_page"),
        *(
            "gates",
            "monitoring",
            "inspection",
            "export",
            "tuning",
            "training",
            "checks",
            "reporting",
            "batch",
            "scoring",
            "evaluation",
        ),
        *("api", "progress", "messages", "text", "data", "bundle", "config", *BASE),
    },
    "__main__": {"cli"},
}
"""Room → the rooms it may import, besides itself."""


def rooms() -> list[str]:
    return sorted(path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists())


def imports(room: str) -> Iterator[tuple[Path, str]]:
    """Each module of the package that a file of the room imports, anywhere in it."""
    whole = PACKAGE / room
    for file in whole.rglob("*.py") if whole.is_dir() else [whole.with_suffix(".py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((file, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file}: write the whole name"
                names = [node.module] if node.module != "rnn_cli" else [f"rnn_cli.{alias.name}" for alias in node.names]
                yield from ((file, name) for name in names if name)


def test_every_room_has_its_place_in_the_plan() -> None:
    assert rooms() == sorted([*MAY_IMPORT, "__init__"])


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_stands_below_it(room: str) -> None:
    found = [(file.name, name) for file, name in imports(room) if name.startswith("rnn_cli.")]
    wrong = [(file, name) for file, name in found if name.split(".")[1] not in MAY_IMPORT[room] | {room, "__version__"}]
    assert not wrong


@pytest.mark.parametrize("room", sorted(set(MAY_IMPORT) - {"cli", "progress", "messages"}))
def test_only_the_command_line_knows_click_and_rich(room: str) -> None:
    assert not {name.split(".")[0] for _, name in imports(room)} & {"click", "rich"}


@pytest.mark.parametrize("room", sorted(set(MAY_IMPORT) - {"training", "network", "inspection"}))
def test_only_what_trains_or_looks_inside_knows_tensorflow(room: str) -> None:
    assert not {name.split(".")[0] for _, name in imports(room)} & {"tensorflow", "keras", "onnx"}


COMMANDS = {
    "check",
    "check_model",
    "compare",
    "drift",
    "evaluate",
    "list_",
    "main",
    "predict",
    "score",
    "train",
    "tune",
}
"""Verbs of the API that are commands, too; an export's script has some of their names."""


def public_names(file: Path) -> Iterator[str]:
    """The functions, classes and constants that a module defines at its top, without those that start with _."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
        else:
            continue
        yield from (name for name in names if not name.startswith("_"))


def test_a_public_name_is_defined_in_one_module() -> None:
    modules: dict[str, list[str]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        for name in set(public_names(file)):
            modules.setdefault(name, []).append(str(file.relative_to(PACKAGE)))
    assert not {name: found for name, found in modules.items() if len(found) > 1 and name not in COMMANDS}
