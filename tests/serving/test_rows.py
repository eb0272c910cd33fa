"""POST /v1/score: what `rnn score` writes, over HTTP."""

import asyncio
import io
import os
import re
from pathlib import Path

import pytest

import rnn_cli
from rnn_cli.serving.edge import Edge
from tests.serving.asking import application, ask, asked

KINDS = {"csv": "text/csv", "tsv": "text/tab-separated-values", "jsonl": "application/x-ndjson"}

ROWS = {
    "csv": 'id,text\n1,warm lovely film\n2,"dull, ""tedious""\nplot"\n3,\n4,zzz\n',
    "tsv": "id\ttext\n1\twarm lovely film\n2\tdull plot\n",
    "jsonl": '{"id": 1.50, "text": "warm lovely film"}\n\n{"text": "dull", "id": null}\n',
}


@pytest.fixture(scope="module")
def app(trained: Path) -> Edge:
    return application(trained)


def scored(model: Path, file: Path, **how: object) -> bytes:
    out = io.BytesIO()
    rnn_cli.score(file, out, model=model, **how)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("form", KINDS)
@pytest.mark.parametrize("query", ["", "proba=true&prefix=predicted_", "spreadsheet_safe=true"])
def test_rows_are_those_of_rnn_score_byte_for_byte(
    form: str, query: str, app: Edge, trained: Path, tmp_path: Path
) -> None:
    file = tmp_path / f"rows.{form}"
    file.write_text(ROWS[form])
    found = ask(app, "POST", f"/v1/score?{query}", file.read_bytes(), {"content-type": KINDS[form]})
    how: dict[str, object] = dict(each.split("=") for each in query.split("&") if each)
    how |= {name: True for name in ("proba", "spreadsheet_safe") if name in how}
    assert (found.status, found.body) == (200, scored(trained, file, **how))
    assert found.headers["x-row-count"] == str({"csv": 4}.get(form, 2))
    assert found.headers["content-type"].startswith(KINDS[form].replace("x-ndjson", "jsonl"))


def test_many_rows_come_in_windows_and_equal_those_of_rnn_score(app: Edge, trained: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("text\n" + "".join(f"{'warm ' * (row % 9)}dull {row}\n" for row in range(5_000)))
    body = file.read_bytes()
    pieces = [body[start : start + 7_000] for start in range(0, len(body), 7_000)]
    found = ask(app, "POST", "/v1/score", pieces, {"content-type": "text/csv"})
    assert found.body == scored(trained, file)


def test_short_requests_are_answered_between_the_windows(app: Edge) -> None:
    body = ("text\n" + "warm dull film\n" * 6_000).encode()

    async def both() -> list[str]:
        order: list[str] = []

        async def ask_for(name: str, *words: object) -> None:
            found = await asked(app, "POST", *words)  # type: ignore[arg-type]
            assert found.status == 200
            order.append(name)

        rows = asyncio.create_task(ask_for("rows", "/v1/score", body, {"content-type": "text/csv"}))
        await asyncio.sleep(0)
        for _ in range(3):
            await ask_for("text", "/v1/predict", {"text": "warm"})
        await rows
        return order

    assert asyncio.run(both()) == ["text"] * 3 + ["rows"]


@pytest.mark.parametrize(
    ("form", "body", "says"),
    [
        ("csv", "text,id\nwarm,1\ndull,2,3\n", "body:3: 3 fields, expected 2"),
        ("csv", "", "body: "),
        ("csv", "text\n", "body: has no rows"),
        ("csv", "a,b\nwarm film,dull film\n", "body: "),
        ("csv", "text,label\nwarm,good\n", "body: has a column 'label' already"),
        ("csv", "text\nwarm\0\n", "body:2: a NUL character"),
        ("jsonl", '{"text": "warm"}\n{"text": 1}\n', "body:2: "),
        ("jsonl", '{"text": "warm"}\n{"text": "a", "label": 1}\n', "body:2: has a column 'label' already"),
        ("jsonl", '{"text": "warm"}\n{"text": \n', "body:2"),
        ("csv", "text\n" + "warm\n" * 3_000 + '"open\n', "body:3002"),
    ],
)
def test_a_row_that_cannot_be_read_is_a_422_before_any_row_is_answered(
    form: str, body: str, says: str, app: Edge
) -> None:
    found = ask(app, "POST", "/v1/score", body.encode(), {"content-type": KINDS[form]})
    assert (found.status, found.headers["content-type"]) == (422, "application/problem+json")
    assert found.json()["detail"].startswith(says)
    assert "rnn-serve-" not in found.json()["detail"]


def test_a_hint_names_parameters_of_the_query(app: Edge) -> None:
    found = ask(app, "POST", "/v1/score", b"a,b\nwarm film,dull film\n", {"content-type": "text/csv"})
    assert "?text_column=" in found.json()["detail"]
    again = ask(app, "POST", "/v1/score?text_column=b", b"a,b\nwarm film,dull film\n", {"content-type": "text/csv"})
    assert again.status == 200 and b"warm film,dull film,bad" in again.body


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (b'text\n"warm" film"\n', "?quoting=none"),
        ("text\nwarm café\n".encode("latin-1"), "?encoding=latin-1"),
        (b"text,label\nwarm,x\n", "?prefix=predicted_"),
        (b"a b,c\nwarm film,dull film\n", "?text_column=a%20b"),
        (b"warm film,dull film\nx y,z a\n", "?header=false&text_column=1"),
    ],
)
def test_a_hint_is_a_query_that_helps(body: bytes, hint: str, app: Edge) -> None:
    found = ask(app, "POST", "/v1/score", body, {"content-type": "text/csv"})
    assert found.status == 422 and hint in re.split("[ ;]", found.json()["detail"])
    assert ask(app, "POST", f"/v1/score{hint}", body, {"content-type": "text/csv"}).status == 200


def test_bad_rows_may_be_marked(app: Edge) -> None:
    body = b"text,id\nwarm,1\ndull,2,3\n"
    found = ask(app, "POST", "/v1/score?on_bad_row=mark", body, {"content-type": "text/csv"})
    assert found.status == 200
    assert found.body.splitlines()[2].startswith(b',,,,,"line 3: 3 fields')


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        ("/v1/score", "", 415),
        ("/v1/score", "application/json", 415),
        ("/v1/score?format=parquet", "text/csv", 422),
        ("/v1/score?format=csv", "", 200),
        ("/v1/score?prbao=true", "text/csv", 422),
        ("/v1/score?proba=2", "text/csv", 422),
        ("/v1/score?on_bad_row=skip", "text/csv", 422),
        ("/v1/score?delimiter=ab", "text/csv", 422),
        ("/v1/score?quoting=some", "text/csv", 422),
        ("/v1/score?encoding=base64", "text/csv", 422),
        ("/v1/score?encoding=utf-8&quoting=none", "text/csv", 200),
        ("/v1/models/none/score", "text/csv", 404),
    ],
)
def test_what_is_asked_is_checked(path: str, kind: str, status: int, app: Edge) -> None:
    assert ask(app, "POST", path, b"text\nwarm\n", {"content-type": kind}).status == status


def test_no_file_is_left(app: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for body in (b"text\nwarm\n", b"text\n"):
        ask(app, "POST", "/v1/score", body, {"content-type": "text/csv"})
    assert os.listdir(tmp_path) == []
