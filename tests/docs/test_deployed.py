"""What docs/deploy.md says of containers and units, as far as it can be tried without them."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from rnn_cli.cli.serve import serve
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.M | re.S)
    return str(found)


def test_the_commands_of_the_container_and_the_unit_are_understood() -> None:
    (command,) = re.findall(r"^CMD (\[.*\])$", block("dockerfile"), re.M)
    (started,) = re.findall(r"^ExecStart=(.*)$", block("ini"), re.M)
    for words in (json.loads(command), shlex.split(started)):
        program, name, *arguments = words
        assert (Path(program).name, name) == ("rnn", "serve")
        assert serve.make_context("rnn serve", arguments).params["models"]


def test_the_container_installs_what_is_there_and_asks_what_is_answered() -> None:
    lines = block("dockerfile")
    assert "'/src/light[serve]'" in lines and (ROOT / "light" / "pyproject.toml").exists()
    (check,) = re.findall(r"^HEALTHCHECK CMD (\[.*\])$", lines, re.M)
    program, option, code = json.loads(check)
    assert (program, option) == ("python", "-c") and "/health/ready" in code
    compile(code, "healthcheck", "exec")
    assert re.search(r"^USER [1-9]\d*$", lines, re.M)


def test_the_unit_is_one(tmp_path: Path) -> None:
    unit = block("ini")
    assert "SuccessExitStatus=143" in unit  # as rnn ends on SIGTERM
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not there")
    rnn = tmp_path / "rnn"
    rnn.write_text("#!/bin/sh\n")
    rnn.chmod(0o755)
    (tmp_path / "rnn.service").write_text(unit.replace("/opt/rnn/bin/rnn", str(rnn)))
    ended = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "rnn.service")], capture_output=True, text=True
    )
    assert [line for line in ended.stderr.splitlines() if "rnn.service" in line] == []
