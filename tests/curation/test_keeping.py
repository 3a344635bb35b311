from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from django.http import HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.test import Client, RequestFactory

from curation.keeping import keep_nothing

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from django.http import HttpRequest

    from curation.models import Case, User


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/v1/benchmarks/", 200),
        ("/api/v1/benchmarks/gone/", 404),
        ("/api/v1/cases/{case}/", 200),
        ("/", 200),
        ("/cases/{case}/", 200),
        ("/gone/", 404),
        ("/api/docs/", 200),
    ],
)
def test_json_and_pages_are_not_kept(client: Client, reader: User, case: Case, address: str, status: int) -> None:
    client.force_login(reader)
    answer = client.get(address.format(case=case.pk))
    assert answer.status_code == status
    assert "private" in answer["Cache-Control"]
    assert "no-store" in answer["Cache-Control"]


def test_neither_is_what_who_is_not_signed_in_gets(client: Client, db: None) -> None:
    for address, status in (("/", 302), ("/login/", 200), ("/api/v1/benchmarks/", 401)):
        answer = client.get(address)
        assert answer.status_code == status
        assert "no-store" in answer["Cache-Control"]


def test_what_a_view_says_stands(client: Client, reader: User, case: Case) -> None:
    client.force_login(reader)
    sha256 = case.images.get().asset_id
    address = f"/api/v1/images/{sha256}/frames/0/"
    answer = client.get(address)
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    again = client.get(address, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again["Cache-Control"]) == (304, answer["Cache-Control"])


def test_a_stream_keeps_its_own_word(client: Client, reader: User) -> None:
    client.force_login(reader)
    assert client.get("/api/v1/events/")["Cache-Control"] == "no-store"


def test_static_files_are_kept_as_before(tmp_path: Path, settings: Any) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = False
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "read-0a1B2c3D.js").write_text("1")
    (tmp_path / "plain.css").write_text("p {}")
    client = Client()
    assert client.get("/static/assets/read-0a1B2c3D.js")["Cache-Control"] == "max-age=315360000, public, immutable"
    assert client.get("/static/plain.css")["Cache-Control"] == "max-age=60, public"


def test_both_ways_of_answering() -> None:
    request = RequestFactory().get("/")

    async def view(_: HttpRequest) -> HttpResponseBase:
        return HttpResponse()

    assert asyncio.run(keep_nothing(view)(request))["Cache-Control"] == "private, no-store"
    assert keep_nothing(lambda _: HttpResponse())(request)["Cache-Control"] == "private, no-store"
    assert "Cache-Control" not in keep_nothing(lambda _: HttpResponseNotModified())(request)
