from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from curation.images import read_frame, store_image
from curation.intake import decode_untrusted
from curation.models import AuditEvent, Benchmark, Case, CaseImage, ImageAsset, ImageUpload, Role, User
from tests.curation.sources import dicom_file, huge_png_header, png
from tests.factories import make_benchmark, make_case, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

    Client = Callable[[User | None], APIClient]


@pytest.fixture
def ct(case: Case) -> ImageAsset:
    """A CT that the benchmark holds."""
    asset = store_image(decode_untrusted(dicom_file("CT_small.dcm").read_bytes(), name="ct"))
    CaseImage.objects.create(case=case, number=2, asset=asset)
    return asset


@pytest.fixture
def cine(case: Case) -> ImageAsset:
    """A 30-frame cine that the benchmark holds."""
    asset = store_image(decode_untrusted(dicom_file("examples_ybr_color.dcm").read_bytes(), name="us"))
    CaseImage.objects.create(case=case, number=3, asset=asset)
    return asset


def send(client: APIClient, data: bytes, name: str = "scan.png", field: str = "file") -> Any:
    return client.post("/api/v1/images/", {field: SimpleUploadedFile(name, data)}, format="multipart")


class TestUpload:
    def test_once_twice_and_by_somebody_else(self, api: Client, reader: User, curator: User) -> None:
        answers = [send(api(user), png(1)) for user in (reader, reader, curator)]
        assert [answer.status_code for answer in answers] == [201, 200, 201]
        sha256 = ImageAsset.objects.get().sha256
        assert answers[0].json() == {"sha256": sha256, "width": 12, "height": 9, "frames": 1, "kind": "png"}
        assert answers[0].json() == answers[2].json()

    @pytest.mark.parametrize(
        ("data", "cause"),
        [
            (b"", "empty"),
            (b"PK\x03\x04" + b"\0" * 40, "zip"),
            (huge_png_header(), "60000 x 60000"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "SVG"),
        ],
    )
    def test_a_bad_file_is_refused_by_name_and_cause(self, api: Client, reader: User, data: bytes, cause: str) -> None:
        answer = send(api(reader), data, "odd name.png")
        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"
        problem = answer.json()
        assert problem["type"].endswith("/refused-file")
        assert problem["detail"].startswith("odd name.png: ")
        assert cause in problem["detail"]
        assert [error["path"] for error in problem["errors"]] == ["file"]

    def test_one_file_at_a_time(self, api: Client, reader: User) -> None:
        assert api(reader).post("/api/v1/images/", {}, format="multipart").status_code == 400
        two = {"file": SimpleUploadedFile("a.png", png(1)), "other": SimpleUploadedFile("b.png", png(2))}
        assert api(reader).post("/api/v1/images/", two, format="multipart").status_code == 400
        assert api(reader).post("/api/v1/images/", b"{}", content_type="application/json").status_code == 415

    def test_a_body_beyond_the_limit_is_refused_before_it_is_read(
        self, api: Client, reader: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("curation.api.images.MAX_BYTES", 10)
        monkeypatch.setattr("curation.api.images.ENVELOPE_BYTES", 0)
        answer = send(api(reader), png(1))
        assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")

    def test_who_has_no_role_anywhere_stores_nothing(self, api: Client, db: None) -> None:
        assert send(api(make_user("nobody")), png(1)).status_code == 403
        assert send(api(None), png(1)).status_code in {401, 403}
        assert not ImageAsset.objects.exists()


@pytest.mark.parametrize("part", ["", "thumbnail/", "content/", "frames/0/", "frames/0/?format=png"])
class TestWhoSees:
    def test_members_see_it_and_others_cannot_tell_that_it_is_there(
        self,
        api: Client,
        ct: ImageAsset,
        reader: User,
        reviewer: User,
        curator: User,
        engineer: User,
        admin: User,
        outsider: User,
        part: str,
    ) -> None:
        for user in (reader, reviewer, curator, engineer, admin):
            assert api(user).get(f"/api/v1/images/{ct.sha256}/{part}").status_code == 200
        refused = api(outsider).get(f"/api/v1/images/{ct.sha256}/{part}")
        absent = api(outsider).get(f"/api/v1/images/{'0' * 64}/{part}")
        assert refused.status_code == absent.status_code == 404
        assert refused.content == absent.content
        assert api(None).get(f"/api/v1/images/{ct.sha256}/{part}").status_code in {401, 403}

    def test_another_users_upload_is_not_there(self, api: Client, reader: User, curator: User, part: str) -> None:
        sha256 = send(api(reader), png(3)).json()["sha256"]
        refused = api(curator).get(f"/api/v1/images/{sha256}/{part}")
        absent = api(curator).get(f"/api/v1/images/{'f' * 64}/{part}")
        assert refused.status_code == absent.status_code == 404
        assert refused.content == absent.content
        assert api(reader).get(f"/api/v1/images/{sha256}/{part}").status_code == 200


class TestBytes:
    def test_stored_samples_and_what_shows_them(self, api: Client, reader: User, ct: ImageAsset) -> None:
        answer = api(reader).get(f"/api/v1/images/{ct.sha256}/frames/0/", HTTP_ACCEPT="application/octet-stream")
        assert answer.status_code == 200
        samples = np.frombuffer(answer.content, dtype="<" + np.dtype(answer["X-Dtype"]).str[1:])
        shape = tuple(int(side) for side in answer["X-Shape"].split(","))
        assert shape == (128, 128)
        assert np.array_equal(samples.reshape(shape), read_frame(ct, 0).samples)
        assert (float(answer["X-Slope"]), float(answer["X-Intercept"])) == (1.0, -1024.0)
        assert answer["X-Photometric"] == "MONOCHROME2"
        assert json.loads(answer["X-Windows"]) == ct.windows

    def test_a_colour_frame(self, api: Client, reader: User, cine: ImageAsset) -> None:
        answer = api(reader).get(f"/api/v1/images/{cine.sha256}/frames/29/")
        assert (answer["X-Shape"], answer["X-Photometric"]) == ("240,320,3", "RGB")
        assert answer.content == read_frame(cine, 29).content

    def test_display_and_another_window(self, api: Client, reader: User, ct: ImageAsset) -> None:
        client, address = api(reader), f"/api/v1/images/{ct.sha256}/frames/0/?format=png"
        first, other = client.get(address), client.get(f"{address}&window=40,80")
        assert first["Content-Type"] == "image/png"
        assert Image.open(io.BytesIO(first.content)).size == (128, 128)
        assert first.content != other.content
        assert first["ETag"] != other["ETag"]

    @pytest.mark.parametrize(
        "query",
        [
            "format=html",
            "format=png&window=1",
            "format=png&window=a,b",
            "format=png&window=nan,1",
            "format=png&window=1,0",
            "window=1,2",
            "colour=1",
        ],
    )
    def test_wrong_arguments(self, api: Client, reader: User, ct: ImageAsset, query: str) -> None:
        answer = api(reader).get(f"/api/v1/images/{ct.sha256}/frames/0/?{query}")
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")

    @pytest.mark.parametrize("number", ["1", "99999999999999999999"])
    def test_no_such_frame(self, api: Client, reader: User, ct: ImageAsset, number: str) -> None:
        answer = api(reader).get(f"/api/v1/images/{ct.sha256}/frames/{number}/")
        assert answer.status_code == 404
        assert number in answer.json()["detail"]

    @pytest.mark.parametrize("part", ["thumbnail/", "content/", "frames/0/", "frames/0/?format=png"])
    def test_kept_for_ever_privately_and_never_a_page(
        self, api: Client, reader: User, outsider: User, ct: ImageAsset, part: str
    ) -> None:
        address = f"/api/v1/images/{ct.sha256}/{part}"
        answer = api(reader).get(address)
        assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "text/" not in answer["Content-Type"]
        again = api(reader).get(address, HTTP_IF_NONE_MATCH=answer["ETag"])
        assert (again.status_code, again.content) == (304, b"")
        assert again["Cache-Control"] == answer["Cache-Control"]
        assert api(outsider).get(address, HTTP_IF_NONE_MATCH=answer["ETag"]).status_code == 404

    def test_stored_bytes_are_a_download(self, api: Client, reader: User, ct: ImageAsset) -> None:
        answer: Any = api(reader).get(f"/api/v1/images/{ct.sha256}/content/")
        assert answer["Content-Disposition"] == f'attachment; filename="{ct.sha256}.dcm"'
        assert len(b"".join(answer.streaming_content)) == ct.byte_size

    def test_facts(self, api: Client, reader: User, cine: ImageAsset) -> None:
        told = api(reader).get(f"/api/v1/images/{cine.sha256}/").json()
        assert (told["frames"], told["frame_time_ms"], told["kind"]) == (30, 33.333, "dicom")
        assert told["needs_text_check"] is True

    def test_a_frame_costs_few_queries(
        self, api: Client, reader: User, ct: ImageAsset, django_assert_max_num_queries: Any
    ) -> None:
        client = api(reader)
        with django_assert_max_num_queries(5):
            client.get(f"/api/v1/images/{ct.sha256}/frames/0/")


class TestTextCheck:
    def test_a_curator_marks_it(self, api: Client, curator: User, benchmark: Benchmark, ct: ImageAsset) -> None:
        answer = api(curator).post(f"/api/v1/images/{ct.sha256}/text-check/", {}, format="json")
        assert answer.status_code == 200
        assert answer.json()["text_checked_at"]
        assert AuditEvent.objects.get(action="image.text_checked").benchmark_id == benchmark.pk

    def test_only_those_who_curate_a_benchmark_that_holds_it_learn_of_the_check(
        self, api: Client, ct: ImageAsset, reader: User, reviewer: User, engineer: User, curator: User, admin: User
    ) -> None:
        address = f"/api/v1/images/{ct.sha256}/"
        assert api(curator).get(address).json()["text_checked_at"] is None
        api(curator).post(f"{address}text-check/", {}, format="json")
        for user in (curator, admin):
            assert api(user).get(address).json()["text_checked_at"]
        elsewhere = make_user("otto", Role.CURATOR, make_benchmark("elsewhere"))
        ImageUpload.objects.create(asset=ct, user=elsewhere)
        for user in (reader, reviewer, engineer, elsewhere):
            answer = api(user).get(address)
            assert answer.status_code == 200
            assert "text_checked_at" not in answer.json()

    def test_others_do_not(
        self, api: Client, ct: ImageAsset, reader: User, reviewer: User, engineer: User, outsider: User
    ) -> None:
        address = f"/api/v1/images/{ct.sha256}/text-check/"
        for user, status in ((reader, 403), (reviewer, 403), (engineer, 403), (outsider, 404)):
            assert api(user).post(address, {}, format="json").status_code == status
        ct.refresh_from_db()
        assert ct.is_barred_from_release

    def test_the_named_benchmark_must_hold_it(self, api: Client, curator: User, ct: ImageAsset) -> None:
        answer = api(curator).post(f"/api/v1/images/{ct.sha256}/text-check/", {"benchmark": "elsewhere"}, format="json")
        assert answer.status_code == 403


def test_an_image_in_two_benchmarks_is_listed_once(
    api: Client, reader: User, ct: ImageAsset, benchmark: Benchmark
) -> None:
    other = make_case(benchmark, "case2")
    CaseImage.objects.create(case=other, number=2, asset=ct)
    assert api(reader).get(f"/api/v1/images/{ct.sha256}/").status_code == 200
