"""Addresses of this app."""

from django.urls import include, path

from inference import (
    api,
    views,
    views_benchmark,
    views_models,
    views_progress,
    views_readers,
    views_runs,
    views_schedules,
)

urlpatterns = [
    *views.urlpatterns,
    *views_benchmark.urlpatterns,
    *views_models.urlpatterns,
    *views_progress.urlpatterns,
    *views_readers.urlpatterns,
    *views_runs.urlpatterns,
    *views_schedules.urlpatterns,
    path("api/v1/", include(api.urlpatterns)),
]
