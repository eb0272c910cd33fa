"""What a server is asked for, and what of that makes no sense together. Loads nothing that serves."""

import hashlib
import hmac
import ipaddress
import os
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_cli.errors import UsageError
from rnn_cli.system import cores, reason

if TYPE_CHECKING:  # it loads ONNX Runtime
    from rnn_cli.scoring.predictor import Precision

API_KEYS = "RNN_API_KEYS"
"""The environment variable that holds keys, with spaces or commas between them."""

PROMETHEUS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""By this variable prometheus-client keeps its numbers in files that the workers share."""

ONLY_MODEL = "default"
"""What a model is called that has no name of its own."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

MODEL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")

_SHORTEST_KEY = 16


@dataclass(frozen=True)
class Limits:
    """What one client may ask for, each for a single worker.

    `body_bytes` bounds requests, `score_bytes` those of /v1/score. `texts` is the most a request holds, `explained` the
    most it may have explained, `characters` the most a text has. `queue` is how many requests wait or are scored at a
    time, `queue_seconds` how long a short one may expect to wait, `connections` how many may be open. `read_seconds`
    is the time for a request's head, and again for each MiB of its body; `write_seconds` the time that a client may
    leave an answer unread.
    """

    body_bytes: int = 1 << 20
    score_bytes: int = 64 << 20
    texts: int = 256
    explained: int = 32
    characters: int = 20_000
    queue: int = 32
    queue_seconds: float = 0.03
    connections: int = 512
    read_seconds: float = 20.0
    write_seconds: float = 30.0


@dataclass(frozen=True)
class ServerSettings:
    """Models by name, the first of which answers where none is named; where to listen, and what to allow.

    `models` are pairs of a name and what `rnn predict --model` takes, None for its default.
    """

    models: tuple[tuple[str, str | None], ...] = ((ONLY_MODEL, None),)
    labels: tuple[str, ...] | None = None
    precision: "Precision" = "fp32"
    threads: int | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    api_key_file: str | None = None
    no_auth: bool = False
    allowed_hosts: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    tls_cert: str | None = None
    tls_key: str | None = None
    drain_seconds: int = 30
    unready_seconds: float = 0.0
    log_format: str = "text"
    log_texts: bool = False
    is_quiet: bool = False
    limits: Limits = field(default_factory=Limits)

    @property
    def threads_each(self) -> int:
        """Cores that one worker scores on."""
        return max(1, (self.threads or cores()) // self.workers)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOOPBACK

    @property
    def url(self) -> str:
        """The address, as this machine reaches it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"{'https' if self.tls_cert else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}"


def named_models(asked: Sequence[str]) -> tuple[tuple[str, str | None], ...]:
    """The models of --model, each DIR or NAME=DIR. Raises `UsageError` for a name given twice, or missing."""
    found: list[tuple[str, str | None]] = []
    for each in asked:
        name, mark, folder = each.partition("=")
        has_name = bool(mark and folder and MODEL_NAME.fullmatch(name)) and not os.path.isdir(each)
        found.append((name, folder) if has_name else (ONLY_MODEL, each))
    names = [name for name, _ in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"two models are called {twice}", where="--model", hint="give each a name: NAME=DIR")
    return tuple(found) or ((ONLY_MODEL, None),)


def check_settings(settings: ServerSettings) -> None:
    """Raise `UsageError` for settings that make no sense together, or leave a server open by mistake."""
    has_keys = bool(read_keys(settings.api_key_file))
    if has_keys and settings.no_auth:
        raise UsageError("--no-auth and API keys do not go together", hint="leave one of them out")
    if not (settings.is_loopback or has_keys or settings.no_auth):
        raise UsageError(
            f"--host {settings.host} lets other machines in, and no API key is set",
            hint="add --api-key-file FILE, or --no-auth to let everybody in",
        )
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise UsageError("TLS needs both files", hint="give --tls-cert FILE and --tls-key FILE")
    for option, file in (("--tls-cert", settings.tls_cert), ("--tls-key", settings.tls_key)):
        if file is not None and not os.path.isfile(file):
            raise UsageError("no such file", where=f"{option} {file}", hint="check the path")
    if settings.tls_cert and settings.tls_key:
        _check_certificate(settings.tls_cert, settings.tls_key)
    for origin in settings.cors_origins:
        if not re.fullmatch(r"https?://[^/\s*]+", origin):
            hint = "write it as https://example.com, without a path"
            raise UsageError("is not an origin", where=f"--cors-origin {origin}", hint=hint)


def _check_certificate(cert: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key, password="")  # nobody is asked for one
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        what = (
            f"no certificate and its key, without a password ({str(getattr(error, 'reason', None) or error).lower()})"
        )
        raise UsageError(what, where=f"{cert}, {key}", hint="give PEM files") from None


def read_keys(file: str | None) -> tuple[bytes, ...]:
    """The digests of the keys in a file (one a line, # begins a comment) and in the environment.

    Raises `UsageError` for a file without keys or that cannot be read, and for a key that is short or not ASCII.
    """
    found: list[tuple[str, str]] = []
    if file is not None:
        try:
            lines = Path(file).read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise UsageError(f"cannot be read ({reason(error)})", where=file, hint="check --api-key-file") from None
        except UnicodeDecodeError:
            raise UsageError("is not text", where=file, hint="write a key a line") from None
        found = [(f"{file}:{number}", line.partition("#")[0].strip()) for number, line in enumerate(lines, start=1)]
        found = [(where, key) for where, key in found if key]
        if not found:
            raise UsageError("holds no key", where=file, hint="write a key a line")
    found += [(API_KEYS, key) for key in re.split(r"[\s,]+", os.environ.get(API_KEYS, "")) if key]
    for where, key in found:
        if len(key) < _SHORTEST_KEY or not re.fullmatch(r"[\x21-\x7e]+", key):
            what = f"a key needs {_SHORTEST_KEY} or more ASCII characters without spaces"
            raise UsageError(what, where=where, hint="make one: openssl rand -hex 24")
    return tuple(_digest(key) for _, key in found)


def is_key(given: str, digests: Sequence[bytes]) -> bool:
    """Whether a key is one of those with these digests, in a time that does not depend on it."""
    digest = _digest(given)
    # No any(): it would stop at the first that is equal.
    return sum(hmac.compare_digest(digest, each) for each in digests) > 0


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def is_served_host(header: str, settings: ServerSettings) -> bool:
    """Whether a Host header names this server.

    An address always does: to reach another's server by DNS rebinding, a page must use a name. So probes by address
    work. A name must be localhost, the one of --host, or one of --allowed-host.
    """
    found = re.fullmatch(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]/@\s]+))(?::\d{1,5})?", header)
    if found is None:
        return False
    name = (found["six"] or found["name"]).rstrip(".").lower()
    if name in LOOPBACK or name == settings.host.lower() or name in map(str.lower, settings.allowed_hosts):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
