"""Files behind URLs: read as local ones are, listed below folders and by patterns, told in one line if out of reach."""

import gzip
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from rnn_cli.batch.job import find_inputs
from rnn_cli.data.reading.remote import (
    file_system,
    is_remote,
    remote_file,
    remote_files,
    safe_reason,
    shown,
)
from rnn_cli.data.reading.table import ReadRequest
from rnn_cli.errors import DataError
from tests.data.conftest import read_rows

CONTENT = b"text,label\nwarm,a\ndull,b\n"


@pytest.fixture(params=["local://{folder}", "memory://{name}"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder's URL, of a file system of Arrow's and of one of fsspec's, with files in it."""
    url: str = request.param.format(folder=tmp_path, name=tmp_path.name)
    for name in ("b.csv", "a b.csv", "day=1/c.csv.gz", ".hidden.csv", "_tmp/d.csv", "day=1/_SUCCESS"):
        content = gzip.compress(CONTENT) if name.endswith("gz") else CONTENT
        if url.startswith("memory"):
            fsspec.filesystem("memory").pipe(f"/{tmp_path.name}/{name}", content)
        else:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(content)
    return url


def test_what_is_a_url() -> None:
    assert all(map(is_remote, ["s3://b/k", "gs://b", "hdfs://h:1/p", "memory://x", "s3a+x://b"]))
    assert not any(map(is_remote, ["a.csv", "/a/b", "C:\\x", "a b://c", "://x", "-"]))


def test_a_folder_is_listed_with_its_folders_and_without_what_is_hidden(url: str) -> None:
    found = remote_files(url)
    assert found is not None and [each.name for each in found] == ["a b.csv", "b.csv", "day=1/c.csv.gz"]
    assert [each.size for each in found][:2] == [len(CONTENT)] * 2
    assert all(
        [(row.text, row.label) for row in read_rows(each.url)] == [("warm", "a"), ("dull", "b")] for each in found
    )
    assert [each.name for each in find_inputs([url])] == [each.name for each in found]


def test_a_pattern_stands_for_the_files_of_one_folder(url: str) -> None:
    found = remote_files(f"{url}/*.csv")
    assert found is not None and {"a b.csv", "b.csv"} <= {each.name for each in found}
    assert remote_files(f"{url}/none*") == []
    assert [each.name for each in find_inputs([f"{url}/b*"])] == ["b.csv"]


def test_one_file(url: str) -> None:
    assert remote_files(f"{url}/b.csv") is None
    found = remote_file(f"{url}/b.csv")
    assert (found.name, found.size) == ("b.csv", len(CONTENT))
    assert [row.text for row in read_rows(found.url)] == ["warm", "dull"]


def test_parquet_is_read_where_it_lies(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["warm"], "label": ["a"]}), tmp_path / "f.parquet")
    assert [row.text for row in read_rows(f"local://{tmp_path}/f.parquet")] == ["warm"]
    fsspec.filesystem("memory").pipe("/f.parquet", (tmp_path / "f.parquet").read_bytes())
    assert [row.text for row in read_rows("memory:///f.parquet")] == ["warm"]


@pytest.mark.parametrize(
    "url", ["local:///none/at/all.csv", "memory://none/a.csv", "nosuch://a/b.csv", "local:///none/*.csv"]
)
def test_what_is_out_of_reach_is_told_in_one_line(url: str) -> None:
    with pytest.raises(DataError) as caught:
        list(read_rows(url, delimiter=","))
    assert caught.value.where == url and caught.value.hint and "\n" not in str(caught.value)


S3 = "?region=us-east-1&endpoint_override=localhost:1&scheme=http"
URLS = [
    *(f"s3://bucket{path}{S3}" for path in ("", "/", "/a%20b", "/a%2Fb%25/", "//x//y", "/%C3%A9%23%3F", "/a+b/c=d&e")),
    f"s3://key:se%2Fcret@bucket/x/y{S3}",
    *(f"local://{path}" for path in ("/", "/tmp/a%20b", "/tmp//a/", "/tmp?x=1")),
    *(f"gs://anonymous@bucket{path}" for path in ("", "/a%20b/")),
]


@pytest.mark.parametrize("url", URLS)
def test_a_path_is_what_arrow_makes_of_a_url(url: str) -> None:
    assert file_system(url) == fs.FileSystem.from_uri(url)


@pytest.mark.parametrize(
    ("folder", "query"),
    [("memory://x", ""), ("local:///tmp", ""), ("s3://bucket/a", S3), ("gs://anonymous@bucket/a", "")],
)
def test_the_files_of_a_place_share_its_file_system(folder: str, query: str) -> None:
    found = [file_system(f"{folder}/{name}{query}") for name in ("b", "c d/e.csv", "f%20g")]
    assert len({id(each) for each, _ in found}) == 1 and len({path for _, path in found}) == 3
    assert [path.rpartition("/")[2] for _, path in found][:2] == ["b", "e.csv"]


def test_other_places_have_other_file_systems() -> None:
    urls = [f"s3://bucket/a{S3}", f"s3://other/a{S3}", f"s3://key:secret@bucket/a{S3}"]
    assert len({id(file_system(url)[0]) for url in urls}) == 3
    assert file_system(f"s3://bucket/a{S3.replace('http', 'https')}")[0] is not file_system(urls[0])[0]


def test_a_path_that_is_no_text_is_told() -> None:
    with pytest.raises(DataError, match=r"^local:///tmp/%ff: cannot be read \("):
        file_system("local:///tmp/%ff")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("s3://KEY:SECRET@bucket/a%20b.csv?region=x", "s3://bucket/a%20b.csv"),
        ("s3://KEY:SEC/RET+@bucket/a.csv", "s3://bucket/a.csv"),
        ("s3://KEY@bucket/a.csv", "s3://bucket/a.csv"),
        ("s3://bucket/@home/a@b.csv", "s3://bucket/@home/a@b.csv"),
        ("hdfs://host:8020/a@b.csv", "hdfs://host:8020/a@b.csv"),
        ("https://host/a.csv?X-Amz-Signature=SECRET", "https://host/a.csv"),
        ("file:///a/b.csv", "file:///a/b.csv"),
        ("a?b@c.csv", "a?b@c.csv"),
        ("a:b@c/d?e", "a:b@c/d?e"),
    ],
)
def test_a_name_shows_no_secret(path: str, name: str) -> None:
    assert shown(path) == ReadRequest(path).name == name
    assert ReadRequest(path).at(3) == f"{name}:3"


def test_what_an_error_says_shows_no_secret() -> None:
    url = "s3://KEY:SE%2FCRET@bucket/a.csv?token=TOKEN&x=1"
    for said in (url, "KEY:SE/CRET", "SE/CRET", "token=TOKEN&x=1", url.replace("%2F", "%2f").replace("=1", "=%31")):
        told = safe_reason(OSError(f"no '{said}' at 1\nmore"), url)
        assert not any(secret in told for secret in ("SE/", "CRET", "TOKEN")) and told.endswith("' at 1")
    assert safe_reason(OSError(""), url) == "OSError"
    assert safe_reason(OSError("no a?b"), "a?b") == "no a?b"


@pytest.mark.parametrize(
    "url",
    [
        "local://KEY:SECRET@host/a.csv?token=SECRET",
        "local:///none/a.csv?token=SECRET",
        "local:///none/*.csv?token=SECRET",
        "nosuch://KEY:SECRET@host/a.csv?token=SECRET",
        "memory://KEY:SECRET@none/a.csv",
        "s3://KEY:SEC/RET@bucket/a.csv?token=SECRET",
        "s3://KEY:SECRET@bucket/a.csv?token=SECRET",
    ],
)
def test_a_file_out_of_reach_is_told_without_its_secrets(url: str) -> None:
    for read in (file_system, remote_file, remote_files, lambda url: list(read_rows(url))):
        try:
            read(url)
        except DataError as error:
            assert not any(secret in str(error) for secret in ("KEY", "SEC", "RET", "token"))
    with pytest.raises(DataError):
        list(read_rows(url))


@pytest.mark.parametrize(
    "content", [b"", b"text,label\nwarm\n", b"PAR1", b"\x1f\x8bcut", b"PK\x03\x04", b"text,label\n\xff,a\n"]
)
def test_a_faulty_file_is_told_without_its_secrets(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError) as caught:
        list(read_rows(f"local://{tmp_path}/a.csv?token=SECRET"))
    assert "SECRET" not in str(caught.value) and (caught.value.where or "").startswith(f"local://{tmp_path}/a.csv")
