"""Whether an export is still what was exported: its files against its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curation.formats.manifest import Manifest, ManifestFault, check_folder

if TYPE_CHECKING:
    from pathlib import Path


class NotIntact(Exception):
    """A folder that is not what its manifest says; `path` is the first missing, extra or different file."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def verify(folder: Path) -> Manifest:
    """Check an export against its `manifest.json`; needs no database.

    Parameters
    ----------
    folder
        As `export` wrote it, or a copy.

    Raises
    ------
    NotIntact
        Naming the first file, in the order of paths, that is missing, extra, different or a link; or the manifest
        itself, where it cannot be read or its digest is not the one of `snapshot.json`.
    """
    try:
        return check_folder(folder)
    except ManifestFault as fault:
        raise NotIntact(fault.path, fault.reason) from None
    except OSError as error:
        raise NotIntact(str(error.filename or folder), error.strerror or str(error)) from None
