"""Programs that may not reach the network: the kernel kills one that tries, whatever language the code is in.

A seccomp filter (seccomp(2)) is put on the process before it starts, and what it starts inherits it. A look-up of a
name begins with a datagram socket, a connection with an address of IPv4 or IPv6, and both are refused by death. Only a
bare IPv6 stream socket is let be: urllib3 makes one when imported, to see whether this machine has IPv6.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

KILLED = -signal.SIGSYS

CALLS = {  # a machine: its number in the kernel (linux/audit.h), those of socket, connect, sendto, io_uring_setup
    "x86_64": (0xC000003E, 41, 42, 44, 425),
    "aarch64": (0xC00000B7, 198, 203, 206, 425),
}
MACHINE = platform.machine()
CAN_SEAL = sys.platform == "linux" and MACHINE in CALLS

LOAD, EQUAL, AND, RETURN = 0x20, 0x15, 0x54, 0x06
"""Instructions of the filter: load a word, go on or jump, mask, end. Sources: linux/filter.h, linux/bpf_common.h."""

ALLOW, KILL = 0x7FFF0000, 0x80000000
NUMBER, ARCHITECTURE, ARGUMENT = 0, 4, 16
"""Where struct seccomp_data holds the call's number, the machine and the first of six arguments of 8 bytes."""

NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2
LIBC = ctypes.CDLL(None, use_errno=True)


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def _instruction(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, value)


def _filter() -> bytes:
    machine, socket, connect, sendto, ring = CALLS[MACHINE]

    def among(*values: int) -> list[bytes]:
        """Skip the next instruction, unless the word is one of these."""
        last = len(values)
        return [_instruction(EQUAL, value, last - at, 0 if at < last else 1) for at, value in enumerate(values, 1)]

    def ends(call: int, *conditions: bytes) -> list[bytes]:
        """Kill at this call if all conditions hold; each begins with the word and jumps over the death."""
        body = [*conditions, _instruction(RETURN, KILL), _instruction(LOAD, NUMBER)]
        return [_instruction(EQUAL, call, 0, len(body)), *body]

    def argument(place: int) -> bytes:
        return _instruction(LOAD, ARGUMENT + 8 * place)

    ipv4 = [argument(0), _instruction(EQUAL, 2, 0, 1)]
    datagram = [argument(0), _instruction(EQUAL, 10, 0, 4), argument(1), _instruction(AND, 15)]
    datagram += [_instruction(EQUAL, 2, 0, 1)]
    code = [
        *(_instruction(LOAD, ARCHITECTURE), _instruction(EQUAL, machine, 1, 0), _instruction(RETURN, KILL)),
        _instruction(LOAD, NUMBER),
        *ends(socket, *ipv4),
        *ends(socket, *datagram),
        *ends(connect, argument(2), *among(16, 28)),  # the lengths of their addresses; the family is out of reach
        *ends(sendto, argument(5), *among(16, 28)),
        *ends(ring),  # it would make sockets unseen
        _instruction(RETURN, ALLOW),
    ]
    return b"".join(code)


CODE = _filter() if CAN_SEAL else b""
PROGRAM = Program(len(CODE) // 8, CODE)


def seal() -> None:
    """Put the filter on this process, for good."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if LIBC.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or LIBC.prctl(SECCOMP, FILTER, ctypes.byref(PROGRAM), 0, 0):
        raise OSError(ctypes.get_errno(), "no seccomp filter here")


def run_sealed(
    line: Sequence[str], place: Path, at: Path, **setting: str
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run a program `at` a folder, with an empty home and no settings but these; how it ended, and what it left.

    The home, the folder for temporary files and those that XDG names are below `place`, which must not be there.
    """
    for name in ("home", "tmp"):
        (place / name).mkdir(parents=True)
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ}
    named = {"HOME": "home", "TMPDIR": "tmp", "XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config"}
    folders = {name: str(place / below) for name, below in named.items()}
    how: dict[str, Any] = {"preexec_fn": seal, "cwd": at, "env": {**kept, **folders, "LC_ALL": "C.UTF-8", **setting}}
    ended = subprocess.run(line, capture_output=True, text=True, timeout=300, **how)
    return ended, sorted(str(each.relative_to(place)) for each in place.rglob("*") if each.parent != place)
