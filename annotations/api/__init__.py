"""Endpoints of this app under /api/v1/."""

from annotations.api import assignments, pushing, readings

urlpatterns = [*assignments.urlpatterns, *pushing.urlpatterns, *readings.urlpatterns]
