"""Snapshots and exports over HTTP and on pages, tried by each of the cast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django_vite.core.asset_loader import DjangoViteAssetLoader

from curation import queues
from curation.export_jobs import run_export
from curation.models import AuditEvent, Export, ImageAsset, Membership, Role, Snapshot
from curation.snapshots import freeze
from tests.factories import make_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

    from curation.models import Benchmark, Case, User

    Api = Callable[[User | None], APIClient]

pytestmark = pytest.mark.django_db


class SilentBroker:
    def send_task(self, name: str, kwargs: dict[str, str]) -> None:
        """Nobody listens."""


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker, and no built front end."""
    monkeypatch.setattr(queues, "current_app", SilentBroker())

    def tag(self: DjangoViteAssetLoader, path: str, app: str = "default", **attributes: str) -> str:
        return ""

    monkeypatch.setattr(DjangoViteAssetLoader, "generate_vite_asset", tag)


@pytest.fixture
def snapshot(benchmark: Benchmark, case: Case) -> Snapshot:
    return freeze(benchmark=benchmark, name="one", actor=None).snapshot


@pytest.fixture
def cast(
    reader: User, reviewer: User, engineer: User, curator: User, admin: User, outsider: User
) -> dict[str, User | None]:
    return {
        "nobody": None,
        "outsider": outsider,
        "reader": reader,
        "reviewer": reviewer,
        "engineer": engineer,
        "curator": curator,
        "admin": admin,
    }


SEEN_BY_STAFF = {"nobody": 401, "outsider": 404, "reader": 403, "reviewer": 200, "engineer": 200, "curator": 200}
FOR_CURATORS = {"nobody": 401, "outsider": 404, "reader": 403, "reviewer": 403, "engineer": 403, "curator": 200}


@pytest.mark.parametrize("who", SEEN_BY_STAFF)
def test_who_sees_what(who: str, snapshot: Snapshot, cast: dict[str, User | None], api: Api) -> None:
    asked = Export.objects.create(snapshot=snapshot, format="hf")
    client = api(cast[who])
    seen = client.get(f"/api/v1/snapshots/{snapshot.digest}/").status_code
    assert seen in ({401, 403} if who == "nobody" else {SEEN_BY_STAFF[who]})
    for address in (f"snapshots/{snapshot.digest}/exports/", f"exports/{asked.pk}/"):
        status = client.get(f"/api/v1/{address}").status_code
        assert status in ({401, 403} if who == "nobody" else {FOR_CURATORS[who]}), address


@pytest.mark.parametrize("who", FOR_CURATORS)
def test_who_freezes_and_exports(who: str, snapshot: Snapshot, cast: dict[str, User | None], api: Api) -> None:
    make_case(snapshot.benchmark, "another")
    client = api(cast[who])
    body = {"benchmark": "thorax", "name": "two"}
    frozen = client.post("/api/v1/snapshots/", body, format="json").status_code
    asked = client.post(f"/api/v1/snapshots/{snapshot.digest}/exports/", {"format": "hf"}, format="json").status_code
    if who == "curator":
        assert (frozen, asked) == (201, 202)
    else:
        refused = {401, 403} if who == "nobody" else {FOR_CURATORS[who]}
        assert {frozen, asked} <= refused
        assert Snapshot.objects.count() == 1
        assert not Export.objects.exists()


def test_a_snapshot_of_the_list_and_by_digest(snapshot: Snapshot, reviewer: User, reader: User, api: Api) -> None:
    listed = api(reviewer).get("/api/v1/snapshots/?benchmark=thorax").json()
    assert listed["next"] is None
    (row,) = listed["results"]
    assert row == api(reviewer).get(f"/api/v1/snapshots/{snapshot.digest}/").json()
    assert {name: row[name] for name in ("names", "cases", "images", "readings", "benchmark")} == {
        "names": ["one"],
        "cases": 1,
        "images": 1,
        "readings": 0,
        "benchmark": "thorax",
    }
    assert api(reader).get("/api/v1/snapshots/").json()["results"] == []
    assert api(reviewer).get("/api/v1/snapshots/?benchmark=elsewhere").json()["results"] == []
    assert api(reviewer).get("/api/v1/snapshots/?digest=x").status_code == 400


def test_the_list_comes_in_pages(benchmark: Benchmark, curator: User, api: Api) -> None:
    for number in range(3):
        make_case(benchmark, f"case{number}")
        freeze(benchmark=benchmark, name=f"name{number}", actor=None)
    names: list[str] = []
    ends: list[bool] = []
    cursor = ""
    for _ in range(3):
        got = api(curator).get(f"/api/v1/snapshots/?limit=1{cursor}").json()
        names += [name for row in got["results"] for name in row["names"]]
        ends.append(got["next"] is None)
        cursor = f"&cursor={got['next']}"
    assert names == ["name0", "name1", "name2"]
    assert ends == [False, False, True]


def test_freezing_the_same_content_is_200_and_a_taken_name_409(snapshot: Snapshot, curator: User, api: Api) -> None:
    def post(name: object) -> Any:
        return api(curator).post("/api/v1/snapshots/", {"benchmark": "thorax", "name": name}, format="json")

    again = post("two")
    assert (again.status_code, again.json()["digest"], again.json()["names"]) == (200, snapshot.digest, ["one", "two"])
    make_case(snapshot.benchmark, "another")
    taken = post("one")
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/name-taken")
    assert snapshot.digest in taken.json()["detail"]
    for bad in ("", 5, "a" * 64, "x" * 101):
        refused = post(bad)
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["path"] == "name"


def test_an_export_from_asking_to_download(snapshot: Snapshot, curator: User, api: Api) -> None:
    client = api(curator)
    asked = client.post(f"/api/v1/snapshots/{snapshot.digest}/exports/", {"format": "hf"}, format="json").json()
    assert (asked["state"], asked["rows_in"], asked["rows_out"]) == ("queued", 1, None)
    assert client.get(f"/api/v1/exports/{asked['id']}/download/").status_code == 404
    run_export(Export.objects.get().pk)
    done = client.get(f"/api/v1/exports/{asked['id']}/").json()
    assert (done["state"], done["rows_out"], done["snapshot"]) == ("done", 1, snapshot.digest)
    response = client.get(f"/api/v1/exports/{asked['id']}/download/")
    assert (response.status_code, response["Content-Type"]) == (200, "application/zip")
    assert f"thorax-{snapshot.digest[:12]}-hf.zip" in response["Content-Disposition"]
    content = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    assert len(content) == done["bytes"]
    assert AuditEvent.objects.get(action="export.downloaded").actor_name == "carl"
    assert client.get(f"/api/v1/snapshots/{snapshot.digest}/exports/").json()["results"] == [done]


def test_a_curator_who_reads_downloads_no_readings(
    snapshot: Snapshot, benchmark: Benchmark, curator: User, api: Api
) -> None:
    asked = Export.objects.create(snapshot=snapshot, format="hf")
    run_export(asked.pk)
    Membership.objects.create(user=curator, benchmark=benchmark, role=Role.READER)
    response = api(curator).get(f"/api/v1/exports/{asked.pk}/download/")
    assert response.status_code == 403
    assert "an export holds the other readings" in response.json()["detail"]


def test_bad_bodies_and_unchecked_images(snapshot: Snapshot, curator: User, api: Api) -> None:
    address = f"/api/v1/snapshots/{snapshot.digest}/exports/"
    for body, path in (({}, "format"), ({"format": "coco"}, "format"), ({"format": "hf", "originals": 1}, "originals")):
        response = api(curator).post(address, body, format="json")
        assert (response.status_code, response.json()["errors"][0]["path"]) == (400, path)
    ImageAsset.objects.update(needs_text_check=True)
    response = api(curator).post(address, {"format": "hf"}, format="json")
    assert (response.status_code, response.json()["type"]) == (409, "/problems/text-unchecked")
    assert response.json()["images"][0]["case"] == "case1"
    assert not Export.objects.exists()


def page_client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_curator_freezes_and_exports_on_pages(benchmark: Benchmark, case: Case, curator: User) -> None:
    client = page_client(curator)
    assert "Nothing is frozen yet" in client.get("/benchmarks/thorax/snapshots/").content.decode()
    response = client.post("/benchmarks/thorax/snapshots/", {"name": " 2026.1 "}, follow=True)
    digest = Snapshot.objects.get().digest
    assert response.redirect_chain == [(f"/snapshots/{digest}/", 302)]
    shown = response.content.decode()
    assert digest in shown
    assert "“2026.1” is frozen." in shown
    assert "1 case, 1 image, 0 submitted readings" in shown
    client.post(f"/snapshots/{digest}/exports/", {"format": "hf", "originals": "on"})
    asked = Export.objects.get()
    assert asked.has_originals
    assert "waits for a worker" in client.get(f"/snapshots/{digest}/").content.decode()
    run_export(asked.pk)
    shown = client.get(f"/snapshots/{digest}/").content.decode()
    assert f"/exports/{asked.pk}/download/" in shown
    response = client.get(f"/exports/{asked.pk}/download/")
    assert response.status_code == 200
    assert len(b"".join(response.streaming_content)) == Export.objects.get().byte_size  # type: ignore[attr-defined]
    again = client.post("/benchmarks/thorax/snapshots/", {"name": "other"}, follow=True).content.decode()
    assert "names the same content as" in again


def test_what_goes_wrong_is_told_on_the_page(benchmark: Benchmark, case: Case, curator: User) -> None:
    client = page_client(curator)
    freeze(benchmark=benchmark, name="one", actor=None)
    digest = Snapshot.objects.get().digest
    ImageAsset.objects.update(needs_text_check=True)
    shown = client.post(f"/snapshots/{digest}/exports/", {"format": "hf"}, follow=True).content.decode()
    assert "Nothing was exported: not checked for burned-in text" in shown
    assert "Burned-in text is unchecked" in shown
    assert f"/cases/{case.pk}/" in shown
    make_case(benchmark, "another")
    shown = client.post("/benchmarks/thorax/snapshots/", {"name": "one"}, follow=True).content.decode()
    assert "Nothing was frozen: the name &#x27;one&#x27; belongs to a snapshot with other content" in shown
    shown = client.post(f"/snapshots/{digest}/exports/", {"format": "<b>"}, follow=True).content.decode()
    assert "<b>" not in shown


def test_pages_are_for_staff_and_forms_for_curators(
    snapshot: Snapshot, reader: User, reviewer: User, outsider: User
) -> None:
    pages = ("/benchmarks/thorax/snapshots/", f"/snapshots/{snapshot.digest}/")
    for who, status in ((reader, 403), (reviewer, 200), (outsider, 404)):
        assert [page_client(who).get(page).status_code for page in pages] == [status, status]
    assert "Freeze a snapshot" not in page_client(reviewer).get(pages[0]).content.decode()
    for who, status in ((reader, 403), (reviewer, 403), (outsider, 404)):
        assert page_client(who).post(pages[0], {"name": "x"}).status_code == status
        assert page_client(who).post(f"{pages[1]}exports/", {"format": "hf"}).status_code == status
    assert Client().get(pages[0]).status_code == 302
    assert Client(enforce_csrf_checks=True).post(pages[0], {"name": "x"}).status_code in {302, 403}


def test_forms_need_a_token(snapshot: Snapshot, curator: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(curator)
    assert client.post("/benchmarks/thorax/snapshots/", {"name": "x"}).status_code == 403
    assert client.post(f"/snapshots/{snapshot.digest}/exports/", {"format": "hf"}).status_code == 403
    assert not Export.objects.exists()
