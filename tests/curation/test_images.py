from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db import connection, connections
from PIL import Image

from curation import images
from curation.images import (
    NoSuchFrame,
    images_known_to,
    mark_text_checked,
    read_frame,
    render_frame_png,
    rendered_frame,
    storage_faults,
    store_image,
    thumbnail,
    upload_image,
)
from curation.intake import RefusedFile, decode_untrusted
from curation.models import AuditEvent, Benchmark, Case, ImageAsset, ImageUpload, User
from tests.curation.sources import dicom_file, png

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from curation.formats.decoded import DecodedImage


def decoded(name: str) -> DecodedImage:
    return decode_untrusted(dicom_file(name).read_bytes(), name=name)


def test_storing_twice_is_storing_once(db: None, media: Path) -> None:
    image = decoded("CT_small.dcm")
    first, second = store_image(image), store_image(image)
    assert first == second
    assert ImageAsset.objects.count() == 1
    assert [file.name for file in media.rglob("*") if file.is_file()] == [f"{image.sha256}.dcm"]
    with default_storage.open(first.storage_name) as stored:
        assert stored.read() == image.content


def test_a_half_written_file_of_an_earlier_crash_is_replaced(db: None, media: Path) -> None:
    image = decoded("CT_small.dcm")
    left = media / "images" / image.sha256[:2] / f"{image.sha256}.dcm"
    left.parent.mkdir(parents=True)
    left.write_bytes(image.content[:100])
    store_image(image)
    assert left.read_bytes() == image.content


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_store_one_image(media: Path) -> None:
    image = decoded("MR_small.dcm")

    def store(_: int) -> str:
        try:
            return store_image(image).sha256
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(store, range(8))) == {image.sha256}
    assert ImageAsset.objects.count() == 1
    assert len([file for file in media.rglob("*") if file.is_file()]) == 1
    connection.close()


def test_an_upload_is_new_for_each_user(reader: User, curator: User) -> None:
    (_, first), (_, again), (asset, other) = (
        upload_image(user=user, data=png(1), name="a.png") for user in (reader, reader, curator)
    )
    assert (first, again, other) == (True, False, True)
    assert ImageUpload.objects.filter(asset=asset).count() == 2


def test_a_refused_upload_leaves_nothing(reader: User, media: Path) -> None:
    with pytest.raises(RefusedFile, match=r"scan\.zip: .*zip"):
        upload_image(user=reader, data=b"PK\x03\x04" + b"\0" * 40, name="scan.zip")
    assert not ImageAsset.objects.exists()
    assert not list(media.rglob("*.*"))


def test_who_knows_an_image(case: Case, reader: User, outsider: User, curator: User) -> None:
    held = case.images.get().asset
    uploaded, _ = upload_image(user=outsider, data=png(7), name="a.png")
    assert list(images_known_to(reader)) == list(images_known_to(curator)) == [held]
    assert list(images_known_to(outsider)) == [uploaded]


@pytest.mark.parametrize(
    "name",
    ["CT_small.dcm", "MR_small.dcm", "examples_ybr_color.dcm", "examples_palette.dcm", "SC_rgb_rle_16bit_2frame.dcm"],
)
def test_frames_of_a_file_are_its_samples(db: None, name: str) -> None:
    image = decoded(name)
    asset = store_image(image)
    for number in {0, image.frames - 1}:
        frame = read_frame(asset, number)
        assert frame.samples.shape == frame.shape
        assert frame.samples.dtype == np.dtype(image.dtype)
        assert image.pixel_offset is not None
        start = image.pixel_offset + number * len(frame.content)
        assert frame.content == image.content[start : start + len(frame.content)]
        shown = Image.open(io.BytesIO(render_frame_png(asset, number)))
        assert (shown.size, shown.mode) == ((image.width, image.height), "RGB")


class Counting(io.FileIO):
    """A file that notes how much was read of it."""

    taken: ClassVar[list[int]] = []

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size) or b""
        self.taken.append(len(found))
        return found


def test_only_the_asked_frame_is_read(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asset = store_image(decoded("examples_ybr_color.dcm"))
    storage = SimpleNamespace(open=lambda name, _: Counting(default_storage.path(name)))
    monkeypatch.setattr("curation.images.default_storage", storage)
    Counting.taken.clear()
    read_frame(asset, 29)
    assert Counting.taken == [320 * 240 * 3]


def test_a_png_frame_is_its_pixels(db: None) -> None:
    asset = store_image(decode_untrusted(png(4), name="a.png"))
    expected = np.asarray(Image.open(io.BytesIO(png(4))))
    assert np.array_equal(read_frame(asset, 0).samples, expected)


@pytest.mark.parametrize("work", [read_frame, rendered_frame, render_frame_png, lambda asset, _: thumbnail(asset)])
def test_a_third_rendering_waits_while_two_are_at_work(db: None, work: Callable[[ImageAsset, int], object]) -> None:
    asset = store_image(decode_untrusted(png(4), name="a.png"))
    done: list[object] = []
    third = threading.Thread(target=lambda: done.append(work(asset, 0)))
    with images._gate, images._gate:
        third.start()
        third.join(0.2)
        assert done == []
    third.join(180)
    assert len(done) == 1


def test_stored_samples_of_dicom_need_no_turn(db: None) -> None:
    asset = store_image(decoded("CT_small.dcm"))
    with images._gate, images._gate:
        assert read_frame(asset, 0).shape == (128, 128)


@pytest.mark.parametrize("number", [-1, 1, 10**12])
def test_a_frame_that_is_not_there(db: None, number: int) -> None:
    asset = store_image(decode_untrusted(png(4), name="a.png"))
    with pytest.raises(NoSuchFrame, match=str(number)):
        read_frame(asset, number)


def test_a_thumbnail_is_made_once(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asset = store_image(decoded("examples_palette.dcm"))
    made = thumbnail(asset)
    assert Image.open(io.BytesIO(made)).size == (256, 112)
    monkeypatch.setattr("curation.images._read_frame", None)
    assert thumbnail(asset) == made


def test_a_text_check_is_audited_once(benchmark: Benchmark, curator: User) -> None:
    asset = store_image(decoded("CT_small.dcm"))
    assert asset.is_barred_from_release
    for _ in range(2):
        checked = mark_text_checked(asset=asset, curator=curator, benchmark=benchmark)
        assert not checked.is_barred_from_release
    event = AuditEvent.objects.get(action="image.text_checked")
    assert (event.actor, event.object_id, event.benchmark_id) == (curator, asset.sha256, benchmark.pk)


def test_faults_of_the_storage_are_found(db: None, media: Path) -> None:
    good, changed, gone = (store_image(decode_untrusted(png(seed), name="a.png")) for seed in range(3))
    assert list(storage_faults()) == []
    (media / changed.storage_name).write_bytes(b"something else")
    (media / gone.storage_name).unlink()
    found = dict(storage_faults())
    assert set(found) == {changed.storage_name, gone.storage_name}
    assert good.storage_name not in found
    assert found[gone.storage_name] == "is not there"
