"""The pages of the documents as what they promise: sessions that can be run, and output that can be compared.

    python tests/docs/pages.py docs/guide.md      runs the page, and writes the output that differs into it

A block ```` ```console ```` shows commands after `$` (lines that begin with `>` go on with one) and what they print on
a terminal of 80 columns. A block ```` ```sh ```` holds commands alone. A page's commands run in order in one folder.

A comment on the line above a block changes that: `<!-- not run: why -->`, `<!-- slow: why -->`. What a block makes that
is marked `<!-- once: why -->` is there already for every page that has `--model films`.

Knows nothing of what the pages are about.
"""

import fcntl
import os
import pty
import re
import shlex
import struct
import sys
import termios
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen
from tempfile import TemporaryDirectory

from tests import warm

ROOT = Path(__file__).parents[2]

CUT = "…"
"""Stands for any output, within a word, too."""

NEEDED = "--model films"
"""Stands in the pages that use what a block makes that is run once."""

BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>not run|slow|once): [^\n]+ -->\n)?^```(?P<kind>console|sh)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Command:
    """What is typed, and what is shown to follow; `shown` is None where a block shows no output."""

    typed: str
    shown: str | None
    where: str


@dataclass(frozen=True)
class Block:
    """Some commands of a page, and whether they are run: "run", "slow", "once" or "not run"."""

    commands: tuple[Command, ...]
    when: str
    start: int
    """Where its body begins in the page."""
    end: int


def blocks(page: Path) -> list[Block]:
    """The sessions of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("body")) + 1
        read = _console if match["kind"] == "console" else _shell
        commands = tuple(read(match["body"], f"{page.relative_to(ROOT)}:{line}"))
        found.append(Block(commands, match["mark"] or "run", match.start("body"), match.end("body")))
    return found


def _console(body: str, where: str) -> Iterator[Command]:
    assert body.startswith("$ "), f"{where}: a session begins with a command"
    for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
        typed, shown = re.match(r"([^\n]*\n(?:>[^\n]*\n)*)(.*)", part, re.S).groups()  # type: ignore[union-attr]
        yield Command(re.sub(r"^> ?", "", typed, flags=re.M).rstrip("\n"), shown, where)


def _shell(body: str, where: str) -> Iterator[Command]:
    yield Command(f"set -e\n{body}", None, where)


class Shell:
    """A folder in which commands run as on a terminal that shows no bars and no colours, `rnn` this tree's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        if not (folder / "data").exists():
            (folder / "data").symlink_to(ROOT / "data")  # as in a checkout
        programs = folder.with_name(f"{folder.name}-programs")
        programs.mkdir()
        for name, arguments in {"rnn": ["-S", "-E", warm.__file__, warm.begin()], "python": []}.items():
            script = programs / name
            script.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, *arguments])} "$@"\n')
            script.chmod(0o755)
        self.environment = os.environ | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "TERM": "dumb",
            "NO_COLOR": "1",
            "COLUMNS": "80",
            "OPENBLAS_NUM_THREADS": "1",  # beside other tests its threads wait: ten times as long
        }
        self.environment.pop("RNN_MODEL", None)

    def run(self, typed: str) -> tuple[int, str]:
        """The exit code of a command line, and all that it prints."""
        ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
        process = Popen(
            ["bash", "-c", typed], stdin=DEVNULL, stdout=its, stderr=its, cwd=self.folder, env=self.environment
        )
        os.close(its)
        printed = b""
        try:
            while read := os.read(ours, 65536):
                printed += read
        except OSError:  # so Linux ends it
            pass
        os.close(ours)
        return process.wait(), _as_seen(printed.decode("utf-8"))


def _as_seen(printed: str) -> str:
    lines = [line.rstrip() for line in printed.replace("\r\n", "\n").split("\n")]
    return "\n".join(lines).strip("\n") + "\n" if any(lines) else ""


def difference(command: Command, code: int, printed: str) -> str | None:
    """What contradicts the page, or None."""
    if command.shown is None:
        return f"{command.where}: {command.typed}\nended with {code}:\n{printed}" if code else None
    if agree(command.shown, printed):
        return None
    return f"{command.where}: {command.typed}\nshown:\n{command.shown}\nprinted:\n{printed}"


def agree(shown: str, printed: str) -> bool:
    """Whether the page shows what was printed, but for what it cuts, where lines are wrapped, and numbers' last digits.

    `CUT` stands for anything. Seconds, rates and sizes may be any number, other numbers need only be near, as another
    CPU trains another network: whole ones within 5 %, fractions below 1 within 0.05, others within 1.
    """
    return _words_agree(_words(shown), _words(printed))


JOINT = "_"
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_UNIT = re.compile(rf"{JOINT}?(?:s|min|minutes?|seconds?|[kMG]B|a{JOINT}second)\b")
_BARS = re.compile(r"[▁▂▃▄▅▆▇█]+|─+")


def _words(text: str) -> list[str]:
    text = re.sub(r"(?<=\d) (?=(?:s|min|minutes?|seconds?|[kMG]B|a second)\b)", JOINT, text)  # a number and its unit
    return _BARS.sub("─", text.replace("a second", f"a{JOINT}second")).split()


def _words_agree(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """As a pattern of file names: each `CUT` takes as few words as will do."""
    place = start = 0
    cut: int | None = None  # the last CUT in `shown`, and where what follows it was tried in `printed`
    while start < len(printed):
        if place < len(shown) and shown[place] == CUT:
            cut, tried, place = place, start, place + 1
        elif place < len(shown) and _word_agrees(shown[place], printed[start]):
            place, start = place + 1, start + 1
        elif cut is not None:
            tried += 1
            place, start = cut + 1, tried
        else:
            return False
    return all(word == CUT for word in shown[place:])


def _word_agrees(shown: str, printed: str) -> bool:
    if shown == printed:
        return True
    if CUT in shown:
        return re.fullmatch(".*".join(map(re.escape, shown.split(CUT))), printed, re.S) is not None
    if _NUMBER.sub("0", shown) != _NUMBER.sub("0", printed):
        return False
    pairs = zip(_NUMBER.finditer(shown), _NUMBER.finditer(printed), strict=True)
    return all(_UNIT.match(shown, one.end()) or _is_near(one[0], other[0]) for one, other in pairs)


def _is_near(shown: str, printed: str) -> bool:
    one, other = (float(each.replace(",", "")) for each in (shown, printed))
    if "." not in shown:
        return abs(one - other) <= 0.05 * one
    return abs(one - other) <= (0.05 if max(one, other) < 1 else 1.0)


def played(page: Path, shell: Shell, *, slow: bool) -> Iterator[tuple[Block, Command, str, str | None]]:
    """Run a page's commands: each with its block, what it printed, and what in that contradicts the page."""
    for block in blocks(page):
        if block.when == "run" or (slow and block.when == "slow"):
            for command in block.commands:
                code, printed = shell.run(command.typed)
                yield block, command, printed, difference(command, code, printed)


def make_once(page: Path, shell: Shell) -> None:
    """Run those commands of a page whose files other pages use."""
    for block in blocks(page):
        for command in block.commands if block.when == "once" else ():
            code, printed = shell.run(command.typed)
            assert code == 0, printed


def renew(page: Path, shell: Shell) -> None:
    """Write what a page's commands print into it, where it shows something else."""
    text, moved = page.read_text(encoding="utf-8"), 0
    for block, command, printed, wrong in played(page, shell, slow=True):
        print(wrong or f"as shown: {command.typed}")  # noqa: T201
        if wrong and command.shown is not None:
            start, end = block.start + moved, block.end + moved
            typed = "$ " + command.typed.replace("\n", "\n> ") + "\n"
            body = text[start:end].replace(typed + command.shown, typed + printed, 1)
            moved += len(body) - (end - start)
            text = text[:start] + body + text[end:]
    page.write_text(text, encoding="utf-8")


def main() -> None:
    with TemporaryDirectory() as home:
        shell = Shell(Path(home) / "page")
        page = Path(sys.argv[1]).resolve()
        if NEEDED in page.read_text(encoding="utf-8"):
            make_once(ROOT / "docs" / "inspect.md", shell)
        renew(page, shell)


if __name__ == "__main__":
    main()
