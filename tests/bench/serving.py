"""`rnn serve` against the usual answers, under overload, and for long; servers and load in processes of their own.

    python tests/bench/serving.py compare [MODEL] [SECONDS]    a sentence; ours, FastAPI + Keras, FastAPI + scikit-learn
    python tests/bench/serving.py overload [MODEL] [SECONDS]   five times as many connections as are served well
    python tests/bench/serving.py soak [MODEL] [REQUESTS]      mixed sizes; errors, and memory over time
    python tests/bench/serving.py start [MODEL]                seconds until ready, MB a worker

MODEL is a trained word-level bundle (if not given, runs/latest, else one is trained). FastAPI must be installed. The
load takes processor time, too: of two cores it leaves the servers about one and a half.
"""

import json
import random
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from measuring import trained

SENTENCE = "A warm, funny film that never outstays its welcome."
CONNECTIONS = 32

KERAS = """
import json, sys
import numpy as np, keras, uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
model = keras.saving.load_model(sys.argv[1])
ids = json.load(open(sys.argv[2]))
class Asked(BaseModel):
    texts: list[str]
app = FastAPI()
@app.post("/v1/predict")
def predict(asked: Asked):
    rows = [[ids.get(word, 1) for word in text.lower().replace(",", " ").replace(".", " ").split()] or [1]
            for text in asked.texts]
    batch = np.zeros((len(rows), max(map(len, rows))), np.int32)
    for row, found in zip(batch, rows):
        row[:len(found)] = found
    return {"predictions": model.predict(batch, verbose=0)[:, 0].tolist()}
@app.get("/health/ready")
def ready():
    return {}
uvicorn.run(app, port=int(sys.argv[3]), log_level="warning")
"""

SCIKIT_LEARN = """
import csv, sys
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
rows = list(csv.DictReader(open(sys.argv[1], encoding="utf-8")))
model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression())
model.fit([row["text"] for row in rows], [row["label"] for row in rows])
class Asked(BaseModel):
    texts: list[str]
app = FastAPI()
@app.post("/v1/predict")
def predict(asked: Asked):
    return {"predictions": model.predict_proba(asked.texts)[:, 1].tolist()}
@app.get("/health/ready")
def ready():
    return {}
uvicorn.run(app, port=int(sys.argv[2]), log_level="warning")
"""


def request_of(texts: Sequence[str]) -> bytes:
    body = json.dumps({"texts": texts}).encode()
    head = "POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
    return f"{head}{len(body)}\r\n\r\n".encode() + body


def load(port: int, connections: int, seconds: float, requests: list[bytes]) -> dict[str, object]:
    """Ask on so many connections, each as soon as it is answered; runs in a process of its own."""
    chooser, selector = random.Random(3), selectors.DefaultSelector()
    began: dict[int, float] = {}
    pending: dict[int, bytearray] = {}
    times: dict[int, list[float]] = {}
    lost = 0
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        began[connection.fileno()], pending[connection.fileno()] = time.perf_counter(), bytearray()
        connection.sendall(chooser.choice(requests))
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends and selector.get_map():
        for key, _ in selector.select(0.1):
            connection, number = key.fileobj, key.fd
            read = connection.recv(1 << 18)  # type: ignore[union-attr]
            if not read:
                lost += 1
                selector.unregister(connection)
                continue
            answer = pending[number]
            answer += read
            if not is_whole(answer):
                continue
            now = time.perf_counter()
            times.setdefault(int(answer[9:12]), []).append(now - began[number])
            answer.clear()
            began[number] = now
            connection.sendall(chooser.choice(requests))  # type: ignore[union-attr]
    found = {
        str(code): {"count": len(each), "p50": 1e3 * quantile(each, 0.5), "p99": 1e3 * quantile(each, 0.99)}
        for code, each in times.items()
    }
    return {"lost": lost, "codes": found}


def is_whole(answer: bytearray) -> bool:
    """Whether an answer is there to its end; all servers here tell its length."""
    at = answer.find(b"\r\n\r\n")
    if at < 0:
        return False
    start = answer.find(b"content-length: ") + len(b"content-length: ")
    return len(answer) >= at + 4 + int(answer[start : answer.find(b"\r", start)])


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def loaded(port: int, connections: int, seconds: float, kind: str = "one") -> dict[str, dict[str, float]]:
    """What `load` finds in a process of its own, by code."""
    command = [sys.executable, __file__, "--load", str(port), str(connections), str(seconds), kind]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    if found["lost"]:
        found["codes"]["lost"] = {"count": found["lost"], "p50": 0.0, "p99": 0.0}
    return found["codes"]  # type: ignore[no-any-return]


KINDS = {"one": [[SENTENCE]], "256": [[SENTENCE] * 256], "mixed": [[SENTENCE] * n for n in (1, 1, 1, 1, 2, 5, 20, 100)]}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def served(command: Sequence[str], port: int) -> Iterator[tuple[int, float]]:
    """A server, once it is ready: its process, and how many seconds that took."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            assert process.poll() is None, f"{command} ended"
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                    connection.sendall(b"GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                    if connection.recv(100).startswith(b"HTTP/1.1 200"):
                        break
            except OSError:
                time.sleep(0.005)
        yield process.pid, time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def ours(model: str, port: int, *words: str) -> list[str]:
    return [sys.executable, "-m", "rnn_cli", "serve", "-q", "--model", model, "--port", str(port), *words]


def family(process: int) -> list[int]:
    """A process and those that it has started to serve."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(process)], capture_output=True, text=True
    ).stdout
    return [process, *(int(line.split()[0]) for line in listed.splitlines() if "spawn_main" in line)]


def megabytes(process: int, kind: str = "Rss") -> float:
    """Memory of a process; by `Pss` a page that several use counts as a part of one."""
    return int(Path(f"/proc/{process}/smaps_rollup").read_text().partition(f"\n{kind}:")[2].split()[0]) / 1024


def processor_seconds(processes: Sequence[int]) -> float:
    stats = [Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split() for each in processes]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / 100


def show(what: str, codes: dict[str, dict[str, float]], seconds: float, cpu: float | None = None) -> None:
    for code, each in sorted(codes.items()):
        each_takes = f"   {1e6 * cpu / each['count']:6.0f} us of a core each" if cpu and code == "200" else ""
        print(
            f"{what:<46} {code}: {each['count'] / seconds:8.0f} a second   p50 {each['p50']:7.2f} ms   "
            f"p99 {each['p99']:7.2f} ms{each_takes}",
            flush=True,
        )


def compare(model: str, seconds: float) -> None:
    root = Path(__file__).parents[2]
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = json.loads((Path(model) / "tokenizer.json").read_text(encoding="utf-8"))["vocabulary"]
        words = Path(folder) / "words.json"
        words.write_text(json.dumps({word: place for place, word in enumerate(vocabulary)}), encoding="utf-8")
        ports = [free_port() for _ in range(4)]
        sample = str(root / "data" / "sample.csv")
        servers = {
            "rnn serve": ours(model, ports[0]),
            "rnn serve --workers 2": ours(model, ports[1], "--workers", "2"),
            "FastAPI + Keras": [sys.executable, "-c", KERAS, f"{model}/model.keras", str(words), str(ports[2])],
            "FastAPI + scikit-learn": [sys.executable, "-c", SCIKIT_LEARN, sample, str(ports[3])],
        }
        for (name, command), port in zip(servers.items(), ports, strict=True):
            with served(command, port) as (process, _):
                loaded(port, 4, 1)
                for connections, kind in ((1, "one"), (CONNECTIONS, "one"), (1, "256")):
                    before = processor_seconds(family(process))
                    codes = loaded(port, connections, seconds, kind)
                    cpu = processor_seconds(family(process)) - before
                    texts = "256 texts" if kind == "256" else "a sentence"
                    show(f"{name}, {connections} connections, {texts}", codes, seconds, cpu)


def overload(model: str, seconds: float) -> None:
    port = free_port()
    with served(ours(model, port, "--workers", "2"), port) as (process, _):
        loaded(port, 4, 1)
        for connections in (CONNECTIONS, 5 * CONNECTIONS, CONNECTIONS):
            show(f"{connections} connections", loaded(port, connections, seconds), seconds)
            print("MB a process (Pss):", *(f"{megabytes(p):.0f} ({megabytes(p, 'Pss'):.0f})" for p in family(process)))


def soak(model: str, requests: int) -> None:
    port, done, counted = free_port(), 0, Counter[str]()
    with served(ours(model, port), port) as (process, _):
        loaded(port, 8, 5, "mixed")
        sizes = [megabytes(process)]
        while done < requests:
            for code, each in loaded(port, 8, 20, "mixed").items():
                counted[code] += int(each["count"])
                done += int(each["count"])
            sizes.append(megabytes(process))
            print(f"{done:,} requests {dict(counted)}, {sizes[-1]:.1f} MB", flush=True)
    print(f"memory {min(sizes):.1f} to {max(sizes):.1f} MB, after the first 5 s {sizes[0]:.1f} MB")


def start(model: str) -> None:
    took, sizes = [], []
    for _ in range(7):
        port = free_port()
        with served(ours(model, port), port) as (process, seconds):
            loaded(port, 8, 2)
            took.append(seconds)
            sizes.append(megabytes(process))
    print(
        f"ready after {min(took):.2f} s, median {statistics.median(took):.2f} s; {max(sizes):.0f} MB after 2 s of load"
    )


def main() -> None:
    if sys.argv[1] == "--load":
        requests = [request_of(texts) for texts in KINDS[sys.argv[5]]]
        print(json.dumps(load(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), requests)))
        return
    what, named, number = (*sys.argv[1:], None, None)[:3]
    model = trained(named)
    match what:
        case "compare":
            compare(model, float(number or 5))
        case "overload":
            overload(model, float(number or 5))
        case "soak":
            soak(model, int(number or 200_000))
        case "start":
            start(model)


if __name__ == "__main__":
    main()
