"""Endpoints of this app under /api/v1/."""

from annotations.api import agreement, assignments, comments, probing, pushing, queue, readings, reviews

urlpatterns = [
    *agreement.urlpatterns,
    *assignments.urlpatterns,
    *comments.urlpatterns,
    *probing.urlpatterns,
    *pushing.urlpatterns,
    *queue.urlpatterns,
    *readings.urlpatterns,
    *reviews.urlpatterns,
]
