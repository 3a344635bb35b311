"""Stored images: writing them once, who may see them, and reading one frame without the others."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from PIL import Image

from curation import audit
from curation.formats.decoded import VoiLut, Window, frame_extent, frame_samples
from curation.intake import decode_untrusted
from curation.models import Benchmark, CaseImage, ImageAsset, ImageUpload
from curation.rendering import RENDERING_VERSION, choose_frames, default_window, render_frame, thumbnail_png

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from numpy.typing import NDArray

    from curation.formats.decoded import DecodedImage
    from curation.models import User


AT_ONCE = 2
# Decoding and rendering a frame of 100 megapixels takes up to 1.2 GB: a process does no more of it at once than this.
_gate = threading.BoundedSemaphore(AT_ONCE)


class NoSuchFrame(ValueError):
    """A frame number that the image does not have."""


@dataclass(frozen=True)
class Frame:
    """One frame as stored: samples row by row, colour interleaved, little-endian."""

    asset: ImageAsset
    number: int
    content: bytes

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, columns), or (rows, columns, 3) for colour."""
        rows_columns = (self.asset.height, self.asset.width)
        return rows_columns if self.asset.channels == 1 else (*rows_columns, self.asset.channels)

    @property
    def samples(self) -> NDArray[np.generic]:
        """The stored samples as a read-only array of `shape`."""
        stored = np.dtype(self.asset.dtype).newbyteorder("<")
        return np.frombuffer(self.content, dtype=stored).reshape(self.shape)


def asset_of(decoded: DecodedImage) -> ImageAsset:
    """The row that describes a decoded image, unsaved."""
    row_mm, column_mm = decoded.spacing_mm or (None, None)
    return ImageAsset(
        sha256=decoded.sha256,
        source_sha256=decoded.source_sha256,
        kind=decoded.kind,
        content_type=decoded.content_type,
        byte_size=len(decoded.content),
        width=decoded.width,
        height=decoded.height,
        frames=decoded.frames,
        channels=decoded.channels,
        dtype=decoded.dtype,
        pixel_offset=decoded.pixel_offset,
        photometric=decoded.photometric,
        slope=decoded.slope,
        intercept=decoded.intercept,
        windows=[asdict(window) for window in decoded.windows],
        voi_luts=[{**asdict(table), "values": list(table.values)} for table in decoded.voi_luts],
        spacing_row_mm=row_mm,
        spacing_column_mm=column_mm,
        spacing_source=decoded.spacing_source,
        frame_time_ms=decoded.frame_time_ms,
        modality=decoded.modality,
        acquisition=decoded.acquisition,
        needs_text_check=decoded.needs_text_check,
    )


def _write_once(name: str, content: bytes) -> None:
    """Put bytes under a name that only these bytes have; a half-written file never lies there."""
    if default_storage.exists(name) and default_storage.size(name) == len(content):
        return
    try:
        path = Path(default_storage.path(name))
    except NotImplementedError:
        # Object storage writes whole objects. Two writers at once: the second gets another name, which is not wanted.
        saved = default_storage.save(name, ContentFile(content))
        if saved != name:
            default_storage.delete(saved)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False) as part:
        part.write(content)
        part.flush()
        os.fsync(part.fileno())
    Path(part.name).replace(path)


def store_image(decoded: DecodedImage) -> ImageAsset:
    """Store a decoded image, or find it stored; the bytes lie there before the row says so.

    Idempotent, and safe when two processes store the same image at once. An image that somebody stored before keeps
    its first row, `source_sha256` included.
    """
    known = ImageAsset.objects.filter(pk=decoded.sha256).first()
    if known is not None:
        return known
    asset = asset_of(decoded)
    _write_once(asset.storage_name, decoded.content)
    ImageAsset.objects.bulk_create([asset], ignore_conflicts=True)
    return ImageAsset.objects.get(pk=decoded.sha256)


def upload_image(*, user: User, data: bytes, name: str) -> tuple[ImageAsset, bool]:
    """Decode and store what a user sent.

    Returns
    -------
    (ImageAsset, bool)
        The image, and whether it is new *for this user*: an image that somebody else brought in looks new, so that
        nobody learns what others hold.

    Raises
    ------
    curation.intake.RefusedFile
        Naming the file and the cause.
    """
    asset = store_image(decode_untrusted(data, name=name))
    _, is_new = ImageUpload.objects.get_or_create(asset=asset, user=user)
    return asset, is_new


def images_known_to(user: User) -> QuerySet[ImageAsset]:
    """Images that the user uploaded, or that a benchmark holds in which the user has any role."""
    held = CaseImage.objects.filter(asset=OuterRef("pk"), case__benchmark__in=Benchmark.objects.visible_to(user))
    uploaded = ImageUpload.objects.filter(asset=OuterRef("pk"), user=user)
    return ImageAsset.objects.filter(Q(Exists(uploaded)) | Q(Exists(held)))


def read_frame(asset: ImageAsset, number: int) -> Frame:
    """One frame's stored samples; of a multi-frame file only that frame's bytes are read.

    Raises
    ------
    NoSuchFrame
        If the image does not have it.
    """
    if asset.pixel_offset is not None:
        return _read_frame(asset, number)
    with _gate:
        return _read_frame(asset, number)


def _read_frame(asset: ImageAsset, number: int) -> Frame:
    """The same for whoever holds the gate already: to ask for it twice is to wait for oneself."""
    if not 0 <= number < asset.frames:
        raise NoSuchFrame(f"frame {number} does not exist: the image has {asset.frames}, counted from 0")
    with default_storage.open(asset.storage_name, "rb") as stored:
        if asset.pixel_offset is None:
            return Frame(asset, number, _png_samples(asset, stored.read()))
        offset, length = frame_extent(
            frame=number,
            width=asset.width,
            height=asset.height,
            frames=asset.frames,
            channels=asset.channels,
            dtype=asset.dtype,
            pixel_offset=asset.pixel_offset,
        )
        stored.seek(offset)
        content = stored.read(length)
    if len(content) != length:
        raise OSError(f"{asset.storage_name} ends before frame {number}: {len(content)} of {length} bytes")
    return Frame(asset, number, content)


def _png_samples(asset: ImageAsset, content: bytes) -> bytes:
    samples = frame_samples(
        content,
        frame=0,
        width=asset.width,
        height=asset.height,
        frames=1,
        channels=asset.channels,
        dtype=asset.dtype,
        pixel_offset=None,
    )
    return samples.tobytes()


def windows_of(asset: ImageAsset) -> tuple[Window, ...]:
    """The windows that came with the image."""
    return tuple(Window(**window) for window in asset.windows)


def voi_luts_of(asset: ImageAsset) -> tuple[VoiLut, ...]:
    """The display look-up tables that came with the image."""
    return tuple(VoiLut(**{**table, "values": tuple(table["values"])}) for table in asset.voi_luts)


def render_frame_png(asset: ImageAsset, number: int, *, window: Window | None = None) -> bytes:
    """One frame as an 8-bit RGB PNG, as a model and an export see it, or through another window.

    Raises
    ------
    NoSuchFrame
        If the image does not have it.
    """
    buffer = io.BytesIO()
    with _gate:
        Image.fromarray(_rendered(asset, number, window=window)).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def rendered_frame(asset: ImageAsset, number: int, *, window: Window | None = None) -> NDArray[np.uint8]:
    """One frame rendered to 8-bit RGB, (rows, columns, 3): through the given window, else by the rendering's rule."""
    with _gate:
        return _rendered(asset, number, window=window)


def _rendered(asset: ImageAsset, number: int, *, window: Window | None = None) -> NDArray[np.uint8]:
    samples = _read_frame(asset, number).samples
    tables = voi_luts_of(asset)
    chosen = window or default_window(
        samples, windows=windows_of(asset), slope=asset.slope, intercept=asset.intercept, voi_luts=tables
    )
    return render_frame(
        samples,
        photometric=asset.photometric,
        slope=asset.slope,
        intercept=asset.intercept,
        window=chosen,
        voi_lut=None if chosen or not tables else tables[0],
    )


def thumbnail(asset: ImageAsset) -> bytes:
    """A small PNG of the middle frame, made once and kept in storage."""
    name = f"thumbnails/{RENDERING_VERSION}/{asset.sha256[:2]}/{asset.sha256}.png"
    if default_storage.exists(name):
        with default_storage.open(name, "rb") as kept:
            return bytes(kept.read())
    with _gate:
        content = thumbnail_png(_rendered(asset, choose_frames(asset.frames)[0]))
    _write_once(name, content)
    return content


@transaction.atomic
def mark_text_checked(*, asset: ImageAsset, curator: User, benchmark: Benchmark) -> ImageAsset:
    """State that no burned-in text identifies anybody in an image; audited, and done once.

    The caller has checked that the user curates the benchmark and that the benchmark holds the image.
    """
    locked = ImageAsset.objects.select_for_update().get(pk=asset.pk)
    if not locked.is_barred_from_release:
        return locked
    locked.text_checked_at = timezone.now()
    locked.text_checked_by = curator
    locked.save(update_fields=["text_checked_at", "text_checked_by"])
    audit.record(
        "image.text_checked",
        actor=curator,
        benchmark_id=benchmark.pk,
        object_type="image",
        object_id=locked.sha256,
        after={"text_checked_at": locked.text_checked_at.isoformat()},
    )
    return locked


def storage_faults() -> Iterator[tuple[str, str]]:
    """(storage name, what is wrong) of every image whose stored bytes are gone or not what their name says."""
    for asset in ImageAsset.objects.defer("voi_luts", "windows", "acquisition").iterator():
        name = asset.storage_name
        try:
            with default_storage.open(name, "rb") as stored:
                # Storage files are no raw streams, so hashlib.file_digest does not take them.
                digest = hashlib.sha256()
                for chunk in stored.chunks():
                    digest.update(chunk)
        except FileNotFoundError:
            yield name, "is not there"
            continue
        if digest.hexdigest() != asset.sha256:
            yield name, f"holds bytes whose sha256 is {digest.hexdigest()}"
