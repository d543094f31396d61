"""`POST /tracking/import`: files as forms bring them."""

import gzip
import io
import uuid
import zipfile
from pathlib import Path

import pytest

from tests.support.api import Api, problem
from tests.support.flights import fresh_igc, igc
from tests.support.http import Answer
from tests.support.points import flymaster_row, flymaster_text
from tests.support.sites import Site

PATH = "/tracking/import"


def form(*files: tuple[str, bytes], **fields: str) -> bytes:
    """Write a form."""
    parts = [(f'name="file"; filename="{name}"', data) for name, data in files]
    parts += [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    body = b"".join(f"--frontier\r\nContent-Disposition: form-data; {d}\r\n\r\n".encode() + data + b"\r\n" for d, data in parts)
    return body + b"--frontier--\r\n"


def post(api: Api, body: bytes, **headers: str) -> Answer:
    kept = {"Content_Type": "multipart/form-data; boundary=frontier", **headers}
    return api.client.request("POST", PATH, body, **kept)


def accepted(api: Api, answer: Answer) -> list[dict[str, object]]:
    """Check a 202, and put down its points; what it says of each file."""
    assert answer.status == 202, answer
    found = answer.json
    assert (found["success"], found["queued"], found["via"]) == (True, True, "queue")
    assert found["points"] == sum(file["points"] for file in found["files"])
    for file in found["files"]:
        for flight in file["flights"]:
            api.kept(file["kind"], uuid.UUID(flight["flight_uuid"]), file["points"])
    return list(found["files"])


def test_an_igc_file(api: Api) -> None:
    (file,) = accepted(api, post(api, form(("a.igc", fresh_igc()))))

    assert (file["file"], file["format"], file["kind"], file["points"], file["error"]) == ("a.igc", "igc", "upload", 5, None)
    assert (file["rejected"], file["rejected_count"], file["highest"]) == ([], 0, 1500)
    assert str(file["start"]).endswith("Z")


def test_a_flymaster_upload_is_of_its_own_kind(api: Api) -> None:
    data = flymaster_text("4711", [flymaster_row(i) for i in range(3)])

    (file,) = accepted(api, post(api, form(("upload.txt", data))))

    assert (file["format"], file["kind"], file["points"]) == ("flymaster", "flymaster", 3)


def test_an_archive_and_a_file_beside_it(api: Api) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("pilots/a.igc", fresh_igc(3))
        writer.writestr("pilots/b.igc", b"hello")

    a, b, c = accepted(api, post(api, form(("task.zip", archive.getvalue()), ("c.igc", fresh_igc(4)))))

    assert [file["file"] for file in (a, b, c)] == ["task.zip:pilots/a.igc", "task.zip:pilots/b.igc", "c.igc"]
    assert [file["points"] for file in (a, b, c)] == [3, 0, 4]
    assert ("unknown format" in str(b["error"]), b["foreign"]) == (True, False)


def test_what_lies_beside_tracks_in_an_archive_is_foreign(api: Api) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("a.igc", fresh_igc(3))
        writer.writestr("results.csv", b"rank,pilot")
        writer.writestr("task.pdf", b"%PDF")

    files = accepted(api, post(api, form(("task.zip", archive.getvalue()))))

    assert [(file["points"], file["foreign"]) for file in files] == [(3, False), (0, True), (0, True)]
    assert "not opened" in str(files[2]["error"])


def test_options(api: Api) -> None:
    fields = {"kind": "live", "flight_id": api.flight, "device_id": "d1", "date": "2023-02-28"}
    data = fresh_igc().replace(b"HFDTE010624\r\n", b"")

    (file,) = accepted(api, post(api, form(("a.igc", data), **fields)))

    assert (file["kind"], file["flights"][0]["flight_id"]) == ("live", api.flight)  # type: ignore[index]
    assert str(file["start"]).startswith("2023-02-28T")


def test_rejects_are_listed_up_to_a_hundred(api: Api) -> None:
    bad = ["B1000004561000N00630000EA0000001500"] * 120

    (file,) = accepted(api, post(api, form(("a.igc", igc("B1301014530000N00630000EA0000001500", *bad)))))

    assert (file["points"], file["rejected_count"], len(file["rejected"])) == (1, 120, 100)  # type: ignore[arg-type]
    assert file["rejected"][0]["line"] == 4  # type: ignore[index]


def test_packed_as_a_whole(api: Api) -> None:
    body = gzip.compress(form(("a.igc", fresh_igc())))

    (file,) = accepted(api, post(api, body, Content_Encoding="gzip"))

    assert file["points"] == 5


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\3\4broken", igc(), igc("B1000004561000N00630000EA0000001500")])
def test_no_file_with_a_point(api: Api, data: bytes) -> None:
    found = problem(post(api, form(("a.igc", data))), 422)

    (file,) = found["files"]
    assert (file["file"], file["points"]) == ("a.igc", 0)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "balloon"}, "balloon"),
        ({"date": "yesterday"}, "yesterday"),
        ({"split": "maybe"}, "split must be true or false"),
        ({"gap": "inf"}, "gap must be"),
        ({"map": "lat"}, "name=Header"),
        ({"colour": "red"}, "colour"),
        ({"flight_id": "x" * 300}, "flight_id"),
        ({"device_id": "\0"}, "device_id"),
    ],
)
def test_a_wrong_field(api: Api, fields: dict[str, str], reason: str) -> None:
    found = problem(post(api, form(("a.igc", fresh_igc()), **fields)), 422)

    assert reason in found["detail"]


def test_no_file_at_all(api: Api) -> None:
    assert "file" in problem(post(api, form(kind="live")), 422)["detail"]


def test_no_form(api: Api) -> None:
    problem(post(api, fresh_igc(), Content_Type="application/octet-stream"), 415)


@pytest.mark.parametrize("body", [b"", b"hello", b"--frontier\r\nContent-Dis", form(("a.igc", fresh_igc()))[:-60]])
def test_a_form_that_was_cut(api: Api, body: bytes) -> None:
    problem(post(api, body), 400)


@pytest.mark.parametrize("header", [b"no colon", b"Bad Name: x", b": no name", b"Long: " + b"x" * 20_000])
def test_a_form_whose_headers_are_none(api: Api, header: bytes) -> None:
    body = form(("a.igc", fresh_igc())).replace(b"Content-Disposition", header + b"\r\nContent-Disposition")

    problem(post(api, body), 400)


def test_a_form_in_a_form(api: Api) -> None:
    head = b'--frontier\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n'

    problem(post(api, head + b"--x--\r\n--frontier--\r\n"), 400)


@pytest.mark.parametrize("packed", [False, True])
def test_too_large(api: Api, max_body_bytes: int, packed: bool) -> None:  # noqa: FBT001 - parametrized
    body = form(("a.igc", bytes(max_body_bytes)))

    if packed:
        problem(post(api, gzip.compress(body), Content_Encoding="gzip"), 413)
    else:
        problem(post(api, body), 413)


def test_while_redis_is_away_the_points_go_another_way(site: Site, tmp_path: Path) -> None:
    (tmp_path / "data" / "spool").mkdir(parents=True)  # a server that never served would take it for a wrong address
    away = Site("redis://127.0.0.1:1/0", site.database_url, site.prefix, tmp_path)
    with away.serve() as server, server.client() as client:
        body = form(("a.igc", fresh_igc()))
        answer = client.request("POST", PATH, body, Content_Type="multipart/form-data; boundary=frontier")

    assert (answer.status, answer.json["via"], answer.json["queued"], answer.json["points"]) == (202, "database", False, 5)
    assert len(site.points("upload")) == 5


def test_a_member_that_unpacks_to_too_much(api: Api, max_body_bytes: int) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("a.igc", bytes(max_body_bytes + 1))

    (file,) = problem(post(api, form(("bomb.zip", archive.getvalue()))), 422)["files"]

    assert "larger than" in file["error"]
