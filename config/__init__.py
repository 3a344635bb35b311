"""The project: settings, servers and the demo. An installed app above all others; no app imports it."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
