"""Memory that does not grow with the file, and lines without end that are refused before they fill it."""

import subprocess
import sys
from pathlib import Path

import pytest

MEASURED = """
import re, resource, sys
from rnn_cli.cli.main import run
code = run(sys.argv[1:])
# Not getrusage: that knows of the process it was forked from, too.
ours = int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(code, (ours + largest) // 1024, file=sys.stderr)
"""


def measured(trained: Path, *words: str) -> tuple[int, int, str]:
    """Runs a command line in a process of its own: exit code, MiB of it and its largest worker, what it said."""
    line = [sys.executable, "-c", MEASURED, "score", "--model", str(trained), *words]
    ended = subprocess.run(line, capture_output=True, text=True)
    *said, last = ended.stderr.splitlines()
    code, mebibytes = map(int, last.split())
    return code, mebibytes, "\n".join(said)


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl"])
@pytest.mark.parametrize("on_bad_row", ["stop", "skip"])
def test_a_line_of_100_mb_is_refused_at_once(name: str, on_bad_row: str, trained: Path) -> None:
    with open(name, "wb") as file:
        file.write(b"text\na film\n" if name == "in.csv" else b'{"text": "a film"}\n\n{"text": "')
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b"\n" if name == "in.csv" else b'"}\n{"text": "dull"}\n')
    _, usual, _ = measured(trained, write("few", 10), "--output", "few.out.csv")
    code, mebibytes, said = measured(trained, name, "--output", "out.csv", "--on-bad-row", on_bad_row)
    assert mebibytes < usual + 150
    if on_bad_row == "skip" and name == "in.jsonl":
        assert (code, "3 rows in = 2 scored + 1 rejected" in said) == (0, True)
        assert Path("out.csv.rejected.jsonl").stat().st_size < 2000
        return
    assert code == 2
    assert said.startswith(f"Error: {name}:3: a line larger than 16,777,216 bytes; ") and said.count("\n") == 0
    assert "--max-field-bytes N" in said
    assert not Path("out.csv").exists()


def test_more_can_be_allowed(trained: Path) -> None:
    Path("in.csv").write_bytes(b"text\n" + b"warm " * 4_000_000 + b"\n")
    assert measured(trained, "in.csv", "--output", "out.csv")[0] == 2
    code, _, _ = measured(trained, "in.csv", "--output", "out.csv", "--max-field-bytes", "30000000")
    assert (code, Path("out.csv").stat().st_size > 20_000_000) == (0, True)


def test_memory_hardly_grows_from_few_rows_to_many(trained: Path) -> None:
    _, few, _ = measured(trained, write("few", 20_000), "--output", "few.out.csv")
    code, many, _ = measured(trained, write("many", 400_000), "--output", "many.out.csv")
    assert code == 0 and many < 1.3 * few


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["csv", "parquet"])
def test_ten_million_rows_take_hardly_more_than_a_hundred_thousand(asked: str, trained: Path) -> None:
    _, few, _ = measured(trained, write("few", 100_000), "--output", f"few.out.{asked}")
    code, many, said = measured(trained, write("many", 10_000_000), "--output", f"many.out.{asked}")
    sys.stdout.write(f"{asked}: {few} MiB for 100,000 rows, {many} MiB for 10,000,000 ({many / few:.2f}); {said}\n")
    assert code == 0 and "10,000,000 rows scored" in said
    assert many <= 1.5 * few
    if asked == "csv":
        with open("many.out.csv", "rb") as file:
            assert sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 24), b"")) == 10_000_001


def write(name: str, rows: int) -> str:
    texts = [f"warm film {n},{n}\n" if n % 2 else f"dull,{n}\n" for n in range(1000)]
    with open(f"{name}.csv", "w") as file:
        file.write("text,n\n")
        for _ in range(rows // 1000):
            file.writelines(texts)
        file.writelines(texts[: rows % 1000])
    return f"{name}.csv"
