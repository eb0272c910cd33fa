"""Every recipe trains, and says at its head what it is for."""

import re
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.config.load import load_config, parse_override, recipes
from rnn_cli.training.prepare import prepare
from rnn_cli.training.run import train_prepared

RECIPES = recipes()
OF_ONE_SOURCE = [name for name in RECIPES if name != "general"]


def test_there_are_recipes() -> None:
    assert {"default", "quick"} <= set(RECIPES)


@pytest.mark.parametrize("name", OF_ONE_SOURCE)
def test_a_recipe_trains(
    name: str, labelled_file: Path, listener: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_config(name, [*map(parse_override, [f"data.source={labelled_file}", "training.epochs=1"])])
    run = train_prepared(prepare(config, listener), out=None, name=name, force=False, listener=listener)
    assert run.bundle.path == Path("runs") / f"{name}-1"
    assert run.test is not None and run.test.metrics.rows == 80 * float(config.data.test)


def test_the_recipe_of_several_sources_trains_without_its_files(
    listener: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_config("general")
    assert config.data.sources is not None
    few = [each.model_copy(update={"rows": 60}) for each in config.data.sources if each.source != "tweets"]
    data = config.data.model_copy(update={"sources": few, "validation": 0.2})
    training = config.training.model_copy(update={"epochs": 1})
    config = config.model_copy(update={"data": data, "training": training})
    run = train_prepared(prepare(config, listener), out=None, name="general", force=False, listener=listener)
    assert run.model.labels == ("negative", "neutral", "positive")
    assert run.validation.by == "source" and {each.name for each in run.validation.slices} == {
        "(2 values under 20 rows)"
    }
    assert sum("is left out: no such file" in each for each in listener.warnings) == 6


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_begins_with_what_it_is_for(name: str) -> None:
    first = RECIPES[name].read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# ") and first.endswith(".") and len(first) > 20


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_tells_its_command_cost_and_figures(name: str) -> None:
    head = RECIPES[name].read_text(encoding="utf-8").partition("\ndata:")[0]
    command = "rnn train" if name == "default" else f"rnn train {name}"
    assert re.search(rf"^# command +{command} +\(.*[\d.]+ (minutes|seconds), [\d.]+ GB\)$", head, re.MULTILINE)
    assert re.search(r"^# validation +[\d.]+ %; .* [\d,]+ rows, ", head, re.MULTILINE)
    if name not in OF_ONE_SOURCE:  # it keeps no test rows: whole sources are left out instead
        assert re.search(r"^# left out +[\d.]+ % ", head, re.MULTILINE)
        return
    assert re.search(r"^# test +[\d.]+ % \([\d.]+ to [\d.]+\), log loss .* [\d,]+ rows$", head, re.MULTILINE)
