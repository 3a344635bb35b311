"""The web application."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Requests share connections here; a worker does one thing at a time and has its own.
os.environ.setdefault("SIGHTLINE_DATABASE_POOL", "20")

from config.handler import get_threaded_application

application = get_threaded_application()
