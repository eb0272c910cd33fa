"""Several sources in a config: overrides, YAML, and what a run may find elsewhere when it goes on."""

import pytest

from rnn_cli.config.load import Override, parse_config, to_yaml, with_overrides
from rnn_cli.config.schema import Config, DataConfig, LabelledFile, SourceConfig
from rnn_cli.errors import ConfigError
from rnn_cli.training.checkpointing import _is_free

TEXT = "data: {sources: [{source: a.csv, labels: {1: good, 0: null}}, {source: b.csv, weight: 2}]}"


def test_one_source_replaces_several_and_several_replace_one() -> None:
    config = parse_config(TEXT, "c.yaml")
    one = with_overrides(config, [Override("data.source", "mine.csv")])
    assert (one.data.source, one.data.sources) == ("mine.csv", None)
    again = with_overrides(one, [Override("data.sources", [{"source": "a.csv"}])])
    assert again.data.sources is not None and again.data.source == Config().data.source


def test_what_is_written_is_read_again() -> None:
    config = parse_config(TEXT, "c.yaml")
    text = to_yaml(config)
    assert "\n  source:" not in text and "\n  - source: a.csv\n" in text
    assert parse_config(text, "again.yaml") == config


def test_only_the_places_of_sources_may_change_before_a_run_goes_on() -> None:
    def sources(text: str) -> object:
        return parse_config(text, "c.yaml").to_dict()["data"]["sources"]

    here = sources(TEXT)
    assert _is_free("data.sources", sources(TEXT.replace("a.csv", "elsewhere/a.csv")), here)
    assert not _is_free("data.sources", sources(TEXT.replace("weight: 2", "weight: 3")), here)
    assert not _is_free("data.sources", None, here)


READING = {
    "text_column": "t",
    "label_column": "l",
    "format": "csv",
    "sheet": "1",
    "delimiter": ";",
    "quoting": "none",
    "header": False,
    "encoding": "latin-1",
}


def test_one_source_and_several_are_read_by_the_same_keys() -> None:
    shared = {name for name in SourceConfig.model_fields if name in DataConfig.model_fields} - {"source"}
    assert shared - {"unlabelled", "balance", "validation", "labels"} == set(READING)  # which mean something else there
    assert set(READING) | {"source"} == set(LabelledFile.model_fields)


@pytest.mark.parametrize(("key", "value"), READING.items())
def test_what_would_be_of_no_file_is_refused_beside_sources(key: str, value: object) -> None:
    config = parse_config(TEXT, "c.yaml")
    with pytest.raises(ConfigError, match=f"sources and {key} exclude each other; say it within sources"):
        with_overrides(config, [Override(f"data.{key}", value)])
    for other in ("validation", "test", "unlabelled"):
        found = with_overrides(config, [Override(f"data.{key}", value), Override(f"data.{other}", "more.csv")])
        assert getattr(found.data, key) == value
        assert found.data.sources is not None and all(
            getattr(each, key) == SourceConfig.model_fields[key].default for each in found.data.sources
        )
