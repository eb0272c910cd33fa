"""A further column, in every format: its values stand by the rows they belong to."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.source import NoSuchColumn, further_column, load_rows
from rnn_cli.errors import DataError

ROWS = [('warm, "funny"\nfilm', "good", "de"), ("dull", "bad", ""), ("noisy", "bad", "fr, en")]


def write_csv(path, delimiter=","):
    quoted = [delimiter.join('"' + field.replace('"', '""') + '"' for field in row) for row in ROWS]
    path.write_text("\n".join([delimiter.join(["text", "label", "country"]), *quoted]) + "\n")


def write_jsonl(path):
    records = [{"text": text, "label": label, "country": country} for text, label, country in ROWS]
    del records[1]["country"]
    path.write_text("\n\n".join(map(json.dumps, records)) + "\n")


def write_parquet(path):
    names = ("text", "label", "country")
    pq.write_table(pa.table({name: [row[place] for row in ROWS] for place, name in enumerate(names)}), path)


@pytest.mark.parametrize(
    ("name", "write"),
    [("a.csv", write_csv), ("a.tsv", lambda path: write_csv(path, "\t")), ("a.jsonl", write_jsonl)]
    + [("a.parquet", write_parquet)],
)
def test_values_stand_by_their_rows(name, write, tmp_path):
    write(tmp_path / name)
    dataset = load_rows(str(tmp_path / name))
    found = further_column(dataset, "country", DataConfig())
    assert [value or "" for value in found] == ["de", "", "fr, en"]
    assert further_column(dataset.select([2, 0]), "country", DataConfig()) == ["fr, en", "de"]
    assert further_column(dataset, "label", DataConfig()) == dataset.labels
    with pytest.raises(NoSuchColumn, match="no column 'Countries' .columns: 'text', 'label', 'country'.; did you mean"):
        further_column(dataset, "Countries", DataConfig())


def test_values_of_any_type_become_text(tmp_path):
    file = tmp_path / "a.jsonl"
    values = [3, 3.0, 0.5, True, None, "x", [1, 2], 1e400]
    records = [{"text": "t", "label": "a", "v": value} for value in values]
    file.write_text("\n".join(map(json.dumps, records)).replace("Infinity", "1e999"))
    assert further_column(load_rows(str(file)), "v", DataConfig()) == [
        "3",
        "3",
        "0.5",
        "true",
        None,
        "x",
        "[1, 2]",
        "inf",
    ]


def test_the_config_says_how_to_read(tmp_path):
    with gzip.open(tmp_path / "a.csv.gz", "wt", encoding="latin-1") as file:
        file.write("review;label;café\nwarm;good;é\n")
    config = DataConfig(delimiter=";", encoding="latin-1")
    assert further_column(load_rows(str(tmp_path / "a.csv.gz"), config), "café", config) == ["é"]


def test_what_has_no_further_column_says_so(tmp_path):
    with pytest.raises(NoSuchColumn, match="sample: a built-in set has no column 'domain'"):
        further_column(load_rows("sample"), "domain", DataConfig())
    write_csv(tmp_path / "a.csv")
    dataset = load_rows(str(tmp_path / "a.csv"))
    (tmp_path / "a.csv").write_text("text,label,country\nshorter,good,de\n")
    with pytest.raises(DataError, match=r"a.csv:4: the file changed between two readings"):
        further_column(dataset, "country", DataConfig())
    (tmp_path / "a.csv").unlink()
    with pytest.raises(DataError, match="a.csv: cannot be read twice"):
        further_column(dataset, "country", DataConfig())
