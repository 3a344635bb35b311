"""The highest app below config: what models say."""

from importlib import import_module

from django.apps import AppConfig


class InferenceConfig(AppConfig):
    """Model versions, enrolments, predictions, attention maps and scores."""

    name = "inference"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect this app to the signals of the apps below it."""
        import_module("inference.receivers")
