"""Endpoints of this app under /api/v1/."""

from annotations.api import assignments, readings

urlpatterns = [*assignments.urlpatterns, *readings.urlpatterns]
