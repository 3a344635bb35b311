"""The web application."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Requests share connections here; a worker does one thing at a time and has its own.
os.environ.setdefault("SIGHTLINE_DATABASE_POOL", "20")

application = get_asgi_application()
