"""Images of an import: found stored by their bytes, or decoded and stored; never decoded twice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curation.formats.sightline import FaultyRecord
from curation.images import asset_of, images_known_to, store_image
from curation.intake import RefusedFile, decode_untrusted
from curation.models import ImageAsset

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from curation.formats.sources import SourceImage
    from curation.models import User

# One text for an image that is not there and for one that is not the sender's to know.
UNKNOWN = "unknown-image: no image of this sha256 is known to you"


@dataclass(frozen=True)
class ResolvedImage:
    """A source image and what is known of its pixels."""

    source: SourceImage
    sha256: str
    kind: str
    width: int
    height: int
    frames: int
    modality: str
    acquisition: dict[str, Any]

    def record(self) -> dict[str, Any]:
        """Section 6's entry, by sha256."""
        given = self.source
        return {
            "sha256": self.sha256,
            "caption": given.caption,
            "modality": given.modality,
            "sub_modality": given.sub_modality,
            "view": given.view,
            "timepoint": given.timepoint,
            "series": given.series,
        }


class ImageResolver:
    """Turns source images into stored ones, a batch at a time.

    Parameters
    ----------
    store
        False for a dry run: files are decoded, and forgotten.
    kinds
        Kinds of file that are taken; None: all.
    bars
        True bars every image from release until somebody has looked for text in its pixels.
    known_to
        Whose knowledge limits images named by sha256; None for a command, which may name every stored image.
    """

    def __init__(
        self,
        *,
        store: bool,
        kinds: frozenset[str] | None = None,
        bars: bool = False,
        known_to: User | None = None,
    ) -> None:
        self._store = store
        self._bars = bars
        self._kinds = kinds
        self._named = ImageAsset.objects.all() if known_to is None else images_known_to(known_to)
        self._by_sha256: dict[str, ImageAsset] = {}
        self._by_source: dict[str, ImageAsset] = {}
        self._digests: dict[Path, str] = {}

    def look_up(self, images: Iterable[SourceImage]) -> None:
        """Find what is stored of a batch, in two queries."""
        images = list(images)
        self._digests = {image.file: _file_digest(image.file) for image in images if image.file is not None}
        sent = {hashlib.sha256(image.data).hexdigest() for image in images if image.data is not None}
        stored = ImageAsset.objects.filter(source_sha256__in=sent.union(self._digests.values()))
        self._by_source = {asset.source_sha256: asset for asset in stored}
        self._by_sha256 = self._named.in_bulk({image.sha256 for image in images if image.sha256})

    def resolve(self, image: SourceImage, path: str) -> ResolvedImage:
        """The stored image.

        Raises
        ------
        FaultyRecord
            At `path`, naming the file and the cause.
        """
        if image.file is not None:
            asset = self._from_file(image.file, path)
        elif image.data is not None:
            asset = self._taken(hashlib.sha256(image.data).hexdigest(), image.data, "the image", f"{path}.path")
        else:
            found = self._by_sha256.get(image.sha256)
            if found is None:
                raise FaultyRecord(f"{path}.sha256", UNKNOWN)
            asset = found
        if image.sha256 and image.sha256 != asset.sha256:
            name = "the image" if image.file is None else image.file.name
            raise FaultyRecord(f"{path}.sha256", f"{name} holds another image: {asset.sha256}")
        if self._bars and self._store and not asset.needs_text_check:
            ImageAsset.objects.filter(pk=asset.pk).update(needs_text_check=True)
            asset.needs_text_check = True
        return ResolvedImage(
            source=image,
            sha256=asset.sha256,
            kind=asset.kind,
            width=asset.width,
            height=asset.height,
            frames=asset.frames,
            modality=asset.modality,
            acquisition=asset.acquisition,
        )

    def _from_file(self, file: Path, path: str) -> ImageAsset:
        return self._taken(self._digests[file], file, file.name, f"{path}.path")

    def _taken(self, digest: str, source: Path | bytes, name: str, path: str) -> ImageAsset:
        asset = self._by_source.get(digest)
        if asset is None:
            try:
                data = source if isinstance(source, bytes) else source.read_bytes()
                decoded = decode_untrusted(data, name=name)
            except RefusedFile as error:
                raise FaultyRecord(path, str(error)) from None
            except OSError as error:
                raise FaultyRecord(path, f"{name}: {error.strerror}") from None
            self._check_kind(decoded.kind, name, path)
            asset = store_image(decoded) if self._store else asset_of(decoded)
            self._by_source[digest] = asset
        self._check_kind(asset.kind, name, path)
        return asset

    def _check_kind(self, kind: str, name: str, path: str) -> None:
        if self._kinds is not None and kind not in self._kinds:
            taken = " and ".join(sorted(name.upper() for name in self._kinds))
            raise FaultyRecord(path, f"{name}: is {kind.upper()}, this format takes {taken}")


def _file_digest(file: Path) -> str:
    """The sha256 of a file's bytes, without holding them; empty if it cannot be read, which decoding then tells."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
