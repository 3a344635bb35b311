"""Where image bytes lie: a folder, or S3-compatible storage, behind django-storages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from config.environment import BadSetting

if TYPE_CHECKING:
    from pathlib import Path

S3_OPTIONS = {"endpoint_url", "region_name", "location", "addressing_style"}


def default_storage(url: str, *, folder: Path) -> dict[str, Any]:
    """Django's STORAGES["default"] from SIGHTLINE_STORAGE_URL; empty means the folder.

    Credentials come from the usual AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, never from the URL.
    """
    if not url:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(folder)},
        }
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    unknown = sorted(set(options) - S3_OPTIONS)
    if parts.scheme != "s3" or not parts.hostname or unknown:
        wanted = f"expected s3://bucket with any of {', '.join(sorted(S3_OPTIONS))} after ?"
        raise BadSetting("SIGHTLINE_STORAGE_URL", url, wanted)
    return {
        "BACKEND": "config.object_storage.RangedS3Storage",
        "OPTIONS": {
            "bucket_name": parts.hostname,
            "file_overwrite": False,
            "querystring_auth": True,
            **options,
        },
    }
