"""The lowest app: what is benchmarked, and what is released."""

from django.apps import AppConfig


class CurationConfig(AppConfig):
    """Cases, images, gold, snapshots, exports, users, audit and events."""

    name = "curation"
    default_auto_field = "django.db.models.BigAutoField"
