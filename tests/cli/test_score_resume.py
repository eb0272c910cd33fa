"""`rnn score --resume`: processes that are killed, interrupted or out of room, and what they come to."""

import random
import re
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests import warm
from tests.warm import Forked, Run

from .conftest import files_below

SMALL = {"rnn_cli.batch.windows.BLOCK_ROWS": 20}
ROWS = 3000
OUTPUTS = ["out.csv.gz", "out.jsonl", "out.parquet", "out/"]


@pytest.fixture(scope="module")
def forked(trained: Path) -> Forked:
    """Runs `rnn score` in a process of its own: words, folder, what befalls it → how it ended."""
    return partial(warm.forked, "score", "--model", str(trained), "--threads", "2", settings=SMALL)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of which every hundredth row is bad."""
    file = tmp_path_factory.mktemp("rows") / "in.csv"
    words = "warm funny dull tedious film of the evening".split()
    chance = random.Random(1)
    lines = [f"{n},{' '.join(chance.choices(words, k=chance.randint(1, 9)))}" for n in range(ROWS)]
    lines[50::100] = ["bad,row,of,many"] * len(lines[50::100])
    file.write_text("id,text\n" + "\n".join(lines))
    return file


class Whole(NamedTuple):
    files: dict[str, bytes]
    run: Run


def result(home: Path) -> dict[str, bytes]:
    """All that a job wrote, but for what the tests note."""
    return {name: content for name, content in files_below(home).items() if name not in ("out.txt", "err.txt", "calls")}


@pytest.fixture(scope="module")
def words(rows: Path) -> Callable[[str], list[str]]:
    return lambda output: [str(rows), "--output", output, "--on-bad-row", "skip"]


@pytest.fixture(scope="module")
def unbroken(
    forked: Forked, words: Callable[[str], list[str]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Whole]:
    found = {}
    for output in OUTPUTS:
        home = tmp_path_factory.mktemp("unbroken")
        run = forked(*words(output), home=home)
        assert run.code == 0, run.err
        assert f"{ROWS:,} rows in = {ROWS - 30:,} scored + 30 rejected" in run.err
        found[output] = Whole(result(home), run)
    return found


def survive(kills: int, seed: int, output: str, forked: Forked, words: list[str], whole: Whole, home: Path) -> int:
    """Kills a job so often, at moments by chance, each gone on with to its end; how often it had been saved."""
    chance, done, saved = random.Random(seed), 0, 0
    while done < kills:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        run: Run | None = None
        while run is None or run.code != 0:
            at: dict[str, Any] = {}
            if done < kills and (run is None or chance.random() < 0.5):
                by_call = {"call": chance.randint(1, whole.run.calls), "signals": [signal.SIGKILL]}
                at = by_call if done % 2 else {"seconds": chance.uniform(0.02, whole.run.seconds)}
            run = forked(*words, *(["--resume"] if run else []), home=home, **at)
            if run.code == -signal.SIGKILL:
                done += 1
                saved += (home / f"{output}.unfinished/_job.json").exists() or (home / output / "_job.json").exists()
                assert output == "out/" or not (home / output).exists() or result(home)[output] == whole.files[output]
            elif run.code == 2:
                assert "stands, and no unfinished job for it; it may be finished" in run.err
                break
            else:
                assert run.code == 0, run.err
        left = {name: content for name, content in result(home).items() if ".unfinished/" not in name}
        assert left == whole.files
    return saved


@pytest.mark.parametrize("output", OUTPUTS[::2])
def test_a_job_killed_at_any_moment_ends_as_if_it_had_not_been(
    output: str, forked: Forked, words: Callable[[str], list[str]], unbroken: dict[str, Whole], tmp_path: Path
) -> None:
    assert survive(6, 3, output, forked, words(output), unbroken[output], tmp_path / "home") > 2


@pytest.mark.slow
@pytest.mark.parametrize("output", OUTPUTS)
def test_50_kills(
    output: str, forked: Forked, words: Callable[[str], list[str]], unbroken: dict[str, Whole], tmp_path: Path
) -> None:
    assert survive(50, 1, output, forked, words(output), unbroken[output], tmp_path / "home") > 15


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
@pytest.mark.parametrize("output", OUTPUTS)
def test_an_interrupted_job_says_that_it_can_be_gone_on_with(
    output: str,
    number: int,
    code: int,
    forked: Forked,
    words: Callable[[str], list[str]],
    unbroken: dict[str, Whole],
    home: Path,
) -> None:
    whole = unbroken[output]
    run = forked(*words(output), home=home, call=whole.run.calls // 2, signals=[number])
    assert (run.code, run.out) == (code, "")
    said, last = run.err.splitlines()
    assert last == ("interrupted" if code == 130 else "terminated")
    assert said.endswith("; the same again with --resume goes on")
    assert output == "out/" or not (home / output).exists()
    assert forked(*words(output), "--resume", home=home).code == 0
    assert result(home) == whole.files


def test_before_the_first_saving_nothing_is_left(forked: Forked, words: Callable[[str], list[str]], home: Path) -> None:
    run = forked(*words("out.csv"), home=home, path="unfinished/.00000-00000", signals=[signal.SIGINT])
    assert (run.code, run.out, run.err) == (130, "", "interrupted\n")
    assert not result(home)


@pytest.mark.parametrize("output", OUTPUTS[:3])
def test_a_disk_without_room(
    output: str, forked: Forked, words: Callable[[str], list[str]], unbroken: dict[str, Whole], home: Path
) -> None:
    (home / output).write_bytes(b"old")
    most = len(unbroken[output].files[output]) // 2
    run = forked(*words(output), "--force", home=home, room=most)
    assert (run.code, run.out) == (1, "")
    *said, error = run.err.splitlines()
    assert re.fullmatch(rf"Error: {output}: cannot be written \(file too large\); make room or .*", error)
    assert said == ["saved; the same again with --resume goes on"]
    assert (home / output).read_bytes() == b"old"
    assert forked(*words(output), "--resume", home=home).code == 0
    assert result(home) == unbroken[output].files


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("output", [*OUTPUTS, "-"])
def test_wherever_a_disk_is_full_the_file_is_named(
    output: str, share: float, forked: Forked, rows: Path, home: Path
) -> None:
    given = [
        str(rows),
        "--output",
        output,
        "--on-bad-row",
        "mark",
        *(["--rejects", "bad"] * (output == "-")),
    ]
    whole = forked(*given, home=home)
    assert whole.code == 0
    largest = max(map(len, [*result(home).values(), whole.out.encode()]))
    for file in home.iterdir():
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    run = forked(*given, home=home, room=int(largest * share))
    *_, error = run.err.splitlines()
    name = {"-": "standard output", "out/": r"out/\S+"}.get(output, re.escape(output))
    assert run.code == 1
    assert re.fullmatch(rf"Error: (\S*/)?{name}: cannot be written \(file too large\); make room or .*", error), error


def test_a_disk_without_room_from_the_beginning(forked: Forked, words: Callable[[str], list[str]], home: Path) -> None:
    run = forked(*words("out.csv"), home=home, room=1000)
    assert (run.code, run.out, run.err.count("\n")) == (1, "", 1)
    assert not result(home)
