"""Endpoints of this app under /api/v1/."""

from annotations.api import assignments, comments, pushing, readings, reviews

urlpatterns = [
    *assignments.urlpatterns,
    *comments.urlpatterns,
    *pushing.urlpatterns,
    *readings.urlpatterns,
    *reviews.urlpatterns,
]
