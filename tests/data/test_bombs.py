"""Small files that would fill the memory, in every format, are refused in one line; honest ones are read whole."""

import io
import json
import random
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from rnn_cli.data import source
from rnn_cli.data.reading import bounds, expanding, jsonl
from rnn_cli.data.reading.readers import open_blocks, read_columns
from rnn_cli.data.reading.table import ReadRequest
from rnn_cli.errors import DataError, RowError
from tests.data.conftest import read_rows
from tests.data.crafted import (
    DELTA_BYTE_ARRAY,
    DELTA_LENGTH,
    FIXED,
    RLE_DICTIONARY,
    Column,
    Page,
    alike,
    different,
    listed,
    numbers,
    parquet,
    run,
    same,
    text,
)

H = b"text,label\n"
LONG = b"warm film " * 40_000  # 400 KB
MOST = 200 << 20

Write = Callable[[str, bytes | str], str]


@pytest.fixture
def pool() -> Iterator[pa.MemoryPool]:
    """What Arrow allocates in the test."""
    before = pa.default_memory_pool()
    counted = pa.proxy_memory_pool(before)
    pa.set_memory_pool(counted)
    yield counted
    pa.set_memory_pool(before)


def loaded(path: str) -> int:
    return len(source.load_rows(path))


def streamed(path: str) -> int:
    """The rows of a file as they are scored; those that cannot be read are passed over."""
    with open_blocks(ReadRequest(path, labels=False, whole=True, lenient=True, as_table=True)) as opened:
        return sum(len(block.lines) for block in opened.blocks)


def further(path: str) -> int:
    return sum(1 for _ in read_columns(path, lambda names: names))


def refusal(read: Callable[[str], int], path: str) -> str:
    with pytest.raises(DataError) as caught:
        read(path)
    error = caught.value
    assert not isinstance(error, RowError)  # or --on-bad-row would pass it over
    assert (error.where or "").startswith(path) and error.hint and error.exit_code == 2 and "\n" not in str(error)
    return error.what


ROWS = 5000
TOO_MUCH = "holds more than 134,217,728 bytes"
AT_ONCE = "a row group takes more than 67,108,864 bytes at once"
NOISE = random.Random(1).randbytes(5000).hex().encode()
LENGTHS = numbers([0] + [len(LONG)] * 19_999) + numbers([len(LONG)] + [0] * 19_999) + LONG
LARGE = [Page(text(b"x" * 70_000_000), 1)]
LABELLED = [same("text", b"warm", 1), same("label", b"a", 1)]

PARQUET = {
    **{
        f"one text in many rows, {codec}": (
            parquet([same("text", LONG, ROWS, codec), alike("label", ROWS)], ROWS),
            TOO_MUCH,
        )
        for codec in ("snappy", "gzip", "brotli", "zstd")
    },
    "one label in many rows": (parquet([alike("text", ROWS), same("label", LONG, ROWS)], ROWS), TOO_MUCH),
    "many rows": (parquet([same("text", b"a", 1 << 24), alike("label", 1 << 24)], 1 << 24), TOO_MUCH),
    "row groups of the same pages": (
        parquet([Column("text", [Page(text(NOISE), 1)]), same("label", b"a", 1)], 1, groups=10),
        "not a whole Parquet file (its row groups share pages",
    ),
    "a large page": (parquet([Column("text", LARGE), same("label", b"a", 1)], 1), AT_ONCE),
    "a page that says it is large": (
        parquet([Column("text", [Page(text(b"x"), 1, uncompressed=(1 << 31) - 1)]), same("label", b"a", 1)], 1),
        AT_ONCE,
    ),
    "a page that says it goes on": (
        parquet(
            [Column("text", [Page(text(b"x"), 1, compressed=(1 << 31) - 1, codec=None)]), same("label", b"a", 1)], 1
        ),
        "not a whole Parquet file (a page of 2,147,483,647 bytes",
    ),
    "a page without an end": (
        parquet([Column("text", [Page(b"", 1, uncompressed=-1)]), same("label", b"a", 1)], 1),
        "not a whole Parquet file (a page's header gives impossible numbers",
    ),
    "texts that begin as the one before": (
        parquet([Column("text", [Page(LENGTHS, 20_000, DELTA_BYTE_ARRAY)]), alike("label", 20_000)], 20_000),
        TOO_MUCH,
    ),
    "more lengths than texts": (
        parquet([Column("text", [Page(numbers([0] * 300), 100, DELTA_LENGTH)]), alike("label", 100)], 100),
        "not a whole Parquet file (a page has more lengths than values",
    ),
    "many lengths": (
        parquet([Column("text", [Page(numbers([0] * 300), 1 << 30, DELTA_LENGTH)]), same("label", b"a", 1)], 1),
        AT_ONCE,
    ),
}


@pytest.mark.parametrize("case", PARQUET)
@pytest.mark.parametrize("read", [loaded, streamed, further])
def test_a_small_parquet_file_does_not_fill_the_memory(
    case: str, read: Callable[[str], int], write: Write, pool: pa.MemoryPool
) -> None:
    content, what = PARQUET[case]
    if read is streamed and case == "one label in many rows":
        return  # it is carried along
    assert len(content) < 100_000 and refusal(read, write("f.parquet", content)).startswith(what)
    assert pool.max_memory() < MOST


CARRIED = {
    "a long list": (listed("more", 1 << 27), 1, AT_ONCE),
    "a list of long texts": (listed("more", 1_000_000, LONG), 1, AT_ONCE),
    "a list of texts": (listed("more", 3000, LONG[:10_000]), 1, "a row larger than 16,777,216 bytes"),
    "large pages": (Column("more", LARGE), 1, AT_ONCE),
    "one text in many rows": (same("more", LONG, 2000), 2000, 2000),
    "pages of one row": (Column("more", [Page(text(b"x" * 10_000_000), 1)] * 40), 40, 40),
    "texts that begin as the one before": (Column("more", [Page(LENGTHS, 20_000, DELTA_BYTE_ARRAY)]), 20_000, 20_000),
    "bytes of one length": (
        Column(
            "more",
            [Page(b"x" * 1_000_000, 1, is_dictionary=True), Page(b"\1" + run(0, 500, 1), 500, RLE_DICTIONARY)],
            kind=FIXED,
            length=1_000_000,
        ),
        500,
        500,
    ),
}


@pytest.mark.parametrize("case", CARRIED)
def test_what_is_carried_along_does_not_fill_the_memory(case: str, write: Write, pool: pa.MemoryPool) -> None:
    column, rows, found = CARRIED[case]
    path = write("f.parquet", parquet([different("text", rows), alike("label", rows), column], rows))
    assert loaded(path) == rows  # the column is not read
    if isinstance(found, int):
        assert streamed(path) == found
    else:
        assert refusal(streamed, path).startswith(found)
    assert pool.max_memory() < MOST


def test_a_footer_does_not_fill_the_memory(write: Write) -> None:
    def with_columns(count: int) -> bytes:
        schema = [{4: b"schema", 5: count}, *({1: 6, 3: 0, 4: b"%d" % number, 6: 0} for number in range(count))]
        return parquet(LABELLED, 1, metadata={2: schema})

    assert "columns or row groups" in refusal(loaded, write("f.parquet", with_columns(20_001)))
    assert refusal(loaded, write("f.parquet", with_columns(80_000))).startswith("its footer takes 1,")


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_parquet_bomb_within_an_archive_counts_as_what_that_takes(
    suffix: str, write: Write, compress: Callable[..., bytes]
) -> None:
    # As large a file of Parquet might hold as much.
    content = parquet(
        [Column("text", [Page(text(b"%07d" % n + LONG), 1, codec=None) for n in range(50)]), same("label", b"a", 50)],
        50,
    )
    inner = parquet(
        [same("text", LONG, ROWS), alike("label", ROWS), Column("pad", [Page(bytes(5_000_000), 1, codec=None)])], ROWS
    )
    assert (
        loaded(write("f.parquet", content)) == 50
        and loaded(write(f"f.parquet{suffix}", compress(suffix, content))) == 50
    )
    assert refusal(loaded, write(f"f.parquet{suffix}", compress(suffix, inner))).startswith(TOO_MUCH)


ARCHIVES = {
    "tiny rows": (H + b"a,x\nb,y\n" * 1_000_000, "f.csv"),
    "long lines": (H + (b"warm film " * 1000 + b",x\n") * 14_000, "f.csv"),
    "wide characters": (H + (b"warm film " * 1000 + "\U0001f3ac,x\n".encode()) * 3500, "f.csv"),
    "blank lines": (b'{"text": "a", "label": "x"}\n' + b"\n" * 2_100_000, "f.jsonl"),
    "returns": (H + b"a,x\r" * 2_100_000, "f.csv"),
}


@pytest.mark.parametrize("case", ARCHIVES)
@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("read", [loaded, streamed])
def test_an_archive_that_expands_beyond_reason_is_refused_before_any_row(
    case: str,
    suffix: str,
    read: Callable[[str], int],
    write: Write,
    compress: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content, name = ARCHIVES[case]
    path = write(name + suffix, compress(suffix, content))
    with pytest.raises(DataError, match=TOO_MUCH):
        next(read_rows(path))
    assert refusal(read, path).startswith(TOO_MUCH)


def parts(suffix: str, content: bytes, compress: Callable[..., bytes]) -> bytes:
    """A header and the content over and over, each a member or frame."""
    return compress(suffix, H) + compress(suffix, content) * 200


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_many_members_are_one_archive(suffix: str, write: Write, compress: Callable[..., bytes]) -> None:
    path = write(f"f.csv{suffix}", parts(suffix, b"a,x\nb,y\n" * 10_000, compress))
    assert refusal(loaded, path).startswith(TOO_MUCH)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_bomb_behind_honest_rows_is_refused_when_it_is_met(
    suffix: str, write: Write, compress: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "FREE_BYTES", 1 << 20)
    monkeypatch.setattr(bounds, "HEAD_BYTES", 1 << 12)
    monkeypatch.setattr(bounds, "RATIO", 20)
    chance = random.Random(3)
    honest = H + b"".join(chance.randbytes(20).hex().encode() + b",x\n" for _ in range(20_000))
    path = write(f"f.csv{suffix}", compress(suffix, honest + b"a,x\n" * 1_000_000))
    rows = read_rows(path)
    assert [len(next(rows).text) for _ in range(1000)] == [40] * 1000
    with pytest.raises(DataError, match="holds more than 1,048,576 bytes"):
        list(rows)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_an_archive_that_goes_on_without_holding_anything_is_refused(
    suffix: str, write: Write, compress: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expanding, "EMPTY", 1 << 16)
    assert (
        loaded(write(f"f.csv{suffix}", compress(suffix, H) + compress(suffix, b"") * 100 + compress(suffix, b"a,x\n")))
        == 1
    )
    path = write(f"f.csv{suffix}", compress(suffix, H) + compress(suffix, b"") * 10_000 + compress(suffix, b"a,x\n"))
    assert "hold no data" in refusal(loaded, path)


def test_frames_that_are_to_be_skipped_are(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    skipped = b"\x50\x2a\x4d\x18" + (10_000).to_bytes(4, "little") + bytes(10_000)
    frame = zstandard.ZstdCompressor().compress
    assert loaded(write("f.csv.zst", frame(H) + skipped + frame(b"a,x\n"))) == 1
    monkeypatch.setattr(expanding, "EMPTY", 1 << 16)
    assert "hold no data" in refusal(loaded, write("f.csv.zst", frame(H) + skipped * 10 + frame(b"a,x\n")))


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_honest_archives_are_read_whole(suffix: str, write: Write, compress: Callable[..., bytes]) -> None:
    chance = random.Random(5)
    words = [chance.randbytes(4).hex() for _ in range(500)]
    lines = [f"{n % 60:02} {chance.choice(words)} {chance.choice(words)} GET /health 200,ok\n" for n in range(100_000)]
    assert loaded(write(f"log.csv{suffix}", compress(suffix, H + "".join(lines).encode()))) == 100_000
    alike_rows = H + b"warm film,good\ndull film,bad\n" * 50_000
    assert loaded(write(f"alike.csv{suffix}", compress(suffix, alike_rows))) == 100_000
    assert loaded(write(f"tape.csv{suffix}", compress(suffix, H + b"a,x\n") + b"\0" * 512 * (suffix == ".gz"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_million_equal_rows_are_read(suffix: str, write: Write, compress: Callable[..., bytes]) -> None:
    assert (
        loaded(write(f"f.csv{suffix}", compress(suffix, H + b"warm film,good\ndull film,bad\n" * 500_000))) == 1_000_000
    )


def test_honest_parquet_is_read_whole(write: Write) -> None:
    chance = random.Random(5)
    count = 20_000
    table = pa.table(
        {
            "text": [" ".join(f"w{chance.randrange(5000)}" for _ in range(20)) for _ in range(count)],
            "label": ["good", "bad"] * (count // 2),
            "tags": [["x"] * (n % 5) for n in range(count)],
            "same": ["a template that stands in all of the rows " * 5] * count,
            "empty": pa.nulls(count, pa.list_(pa.int64())),
            "pairs": pa.array([[("k", str(n % 7))] for n in range(count)], pa.map_(pa.string(), pa.string())),
            "kind": pa.array(["u", "v"] * (count // 2)).dictionary_encode(),
        }
    )
    for how in (
        {},
        {"compression": "zstd", "row_group_size": 1000},
        {"use_dictionary": False, "column_encoding": {"text": "DELTA_BYTE_ARRAY", "same": "DELTA_LENGTH_BYTE_ARRAY"}},
        {"data_page_version": "2.0", "use_dictionary": False, "column_encoding": {"text": "DELTA_LENGTH_BYTE_ARRAY"}},
        {"compression": "lz4"},
        {"compression": "none", "data_page_size": 1000, "dictionary_pagesize_limit": 1000},
    ):
        sink = io.BytesIO()
        pq.write_table(table, sink, **how)
        path = write("f.parquet", sink.getvalue())
        assert source.load_rows(path).texts == table.column("text").to_pylist()
        with open_blocks(ReadRequest(path, labels=False, whole=True, as_table=True)) as opened:
            batches = [block.batch for block in opened.blocks]
        assert pa.Table.from_batches(batches).equals(table), how


def test_a_million_columns(write: Write) -> None:
    names = [f"c{number}" for number in range(bounds.MOST_COLUMNS + 1)]
    many = "more than 20,000 columns"
    for read in (loaded, streamed, further):
        assert refusal(read, write("f.csv", ",".join(names) + "\n")) == many
        assert refusal(read, write("f.jsonl", json.dumps(dict.fromkeys(names, 1)) + "\n")) == many


def test_json_of_many_values_is_refused_before_it_is_parsed(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "_MOST_PARTS", 1000)
    many = b'{"text": "a", "label": "x", "more": [' + b"[]," * 1000 + b"[]]}\n"
    with pytest.raises(DataError, match="f.jsonl:1: more than 1,000 values"):
        loaded(write("f.jsonl", many))
    commas = json.dumps({"text": ",[{" * 1000 + '\\"' + "," * 1000, "label": "x"}).encode() + b"\n"
    assert loaded(write("f.jsonl", commas * 2)) == 2


def test_a_doubled_key_among_many_is_found_at_once(write: Write) -> None:
    pairs = ", ".join(f'"c{number}": 1' for number in range(100_000))
    with pytest.raises(DataError, match="f.jsonl:1: the key 'c99999' appears twice in one object"):
        loaded(write("f.jsonl", f'{{{pairs}, "c99999": 1}}\n'))


@pytest.mark.parametrize("read", [loaded, streamed])
def test_blank_lines_without_end(read: Callable[[str], int], write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    row = '{"text": "a", "label": "x"}\n'
    assert read(write("f.jsonl", row + "\n" * 5000 + row)) == 2
    monkeypatch.setattr(bounds, "MOST_BLANK", 1000)
    assert "more than 1,000 blank lines" in refusal(read, write("f.jsonl", row + "\n" * 5000 + row))
    assert "more than 1,000 blank lines" in refusal(read, write("f.csv", "text,label\na,x\n" + "\n" * 5000))


def test_faulty_lines_before_the_first_object_are_not_all_kept(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "_MOST_BEFORE", 1000)
    assert streamed(write("f.jsonl", "no\n" * 900 + '{"text": "a"}\n')) == 901
    assert refusal(streamed, write("f.jsonl", "no\n" * 1001)) == "none of its first 1,000 lines is a JSON object"
