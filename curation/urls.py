"""Addresses of this app."""

from django.urls import include, path

from curation import views, views_audit, views_case_trail, views_people, views_snapshots
from curation.api import benchmarks, cases, events, images, snapshots

urlpatterns = [
    *views.urlpatterns,
    *views_snapshots.urlpatterns,
    *views_audit.urlpatterns,
    *views_case_trail.urlpatterns,
    *views_people.urlpatterns,
    path("api/v1/", include(benchmarks.urlpatterns)),
    path("api/v1/", include(cases.urlpatterns)),
    path("api/v1/", include(images.urlpatterns)),
    path("api/v1/", include(snapshots.urlpatterns)),
    path("api/v1/", include(events.urlpatterns)),
]
