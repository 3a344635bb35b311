"""The middle app: what experts say."""

from importlib import import_module

from django.apps import AppConfig


class AnnotationsConfig(AppConfig):
    """Assignments, readings, ROIs and rationale steps."""

    name = "annotations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect this app to the signals of the app below it."""
        import_module("annotations.receivers")
