"""S3-compatible storage, against a server that speaks its protocol over HTTP."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import boto3
import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from moto.server import ThreadedMotoServer

from config.environment import BadSetting
from config.object_storage import READ_AHEAD
from config.storage import default_storage as settings_of
from curation.images import read_frame, storage_faults, store_image, thumbnail
from curation.intake import decode_untrusted
from tests.curation.sources import dicom_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of the server."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server: str, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """An empty bucket, which the site's storage is."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    made = boto3.resource("s3", endpoint_url=server, region_name="us-east-1").create_bucket(Bucket="sightline")
    url = f"s3://sightline?endpoint_url={server}&region_name=us-east-1&addressing_style=path"
    settings.STORAGES = {**settings.STORAGES, "default": settings_of(url, folder=tmp_path)}
    yield made
    made.objects.delete()
    made.delete()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ranges that were asked for; "all" for a whole object."""
    ranges: list[str] = []
    backend: Any = storages["default"]

    def note(params: dict[str, Any], **_: Any) -> None:
        ranges.append(params.get("Range", "all"))

    backend.connection.meta.client.meta.events.register("before-parameter-build.s3.GetObject", note)
    return ranges


def test_what_is_put_is_got(bucket: Any) -> None:
    name = default_storage.save("images/ab/one.bin", ContentFile(b"0123456789"))
    assert name == "images/ab/one.bin"
    assert [stored.key for stored in bucket.objects.all()] == [name]
    assert (default_storage.exists(name), default_storage.size(name)) == (True, 10)
    with default_storage.open(name, "rb") as stored:
        assert stored.read() == b"0123456789"
    default_storage.delete(name)
    assert not default_storage.exists(name)


def test_a_part_costs_a_part(bucket: Any, asked: list[str]) -> None:
    content = bytes(range(256)) * 4096 * 5  # 5 MiB
    default_storage.save("large.bin", ContentFile(content))
    with default_storage.open("large.bin", "rb") as stored:
        stored.seek(3_000_000)
        assert stored.read(1000) == content[3_000_000:3_001_000]
        assert stored.tell() == 3_001_000
        stored.seek(-10, io.SEEK_END)
        assert stored.read() == content[-10:]
    assert asked == ["bytes=3000000-4048575", "bytes=5242870-5242879"]


def test_a_stream_takes_few_requests(bucket: Any, asked: list[str]) -> None:
    content = np.random.default_rng(1).bytes(3 * 1024 * 1024 + 17)
    default_storage.save("stream.bin", ContentFile(content))
    with default_storage.open("stream.bin", "rb") as stored:
        assert b"".join(stored.chunks(4096)) == content
    assert len(asked) == 4
    assert "all" not in asked


def test_an_empty_object_is_read_without_asking(bucket: Any, asked: list[str]) -> None:
    default_storage.save("empty.bin", ContentFile(b""))
    with default_storage.open("empty.bin", "rb") as stored:
        assert (stored.read(), stored.read(5), stored.size) == (b"", b"", 0)
    assert asked == []


def test_what_is_missing_is_said_so(bucket: Any) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.bin"):
        default_storage.open("nothing.bin", "rb")


def test_no_position_before_the_beginning(bucket: Any) -> None:
    default_storage.save("short.bin", ContentFile(b"abc"))
    with default_storage.open("short.bin", "rb") as stored, pytest.raises(OSError, match="negative"):
        stored.seek(-4, io.SEEK_END)


@pytest.mark.parametrize(
    "url", ["s3://", "http://bucket", "s3://bucket?secret_key=x", "s3://bucket?endpoint_url=http://a&acl=public-read"]
)
def test_a_url_that_means_nothing_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="SIGHTLINE_STORAGE_URL"):
        settings_of(url, folder=tmp_path)


@pytest.mark.django_db
def test_a_cine_lies_there_and_a_frame_is_a_range(bucket: Any, asked: list[str]) -> None:
    content = dicom_file("examples_ybr_color.dcm").read_bytes()
    asset = store_image(decode_untrusted(content, name="us"))
    assert store_image(decode_untrusted(content, name="again")).pk == asset.pk
    assert [stored.key for stored in bucket.objects.all()] == [asset.storage_name]
    frame = read_frame(asset, 5)
    assert frame.samples.shape == (asset.height, asset.width, 3)
    assert len(asked) == 1
    first, last = asked[0].removeprefix("bytes=").split("-")
    assert int(last) - int(first) < max(len(frame.content), READ_AHEAD)
    assert thumbnail(asset) == thumbnail(asset)
    assert list(storage_faults()) == []
    bucket.Object(asset.storage_name).put(Body=b"other bytes")
    assert [name for name, _ in storage_faults()] == [asset.storage_name]
    bucket.Object(asset.storage_name).delete()
    assert list(storage_faults()) == [(asset.storage_name, "is not there")]
