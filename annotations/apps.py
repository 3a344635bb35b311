"""The middle app: what experts say."""

from django.apps import AppConfig


class AnnotationsConfig(AppConfig):
    """Assignments, readings, ROIs and rationale steps."""

    name = "annotations"
    default_auto_field = "django.db.models.BigAutoField"
