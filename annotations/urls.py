"""Addresses of this app."""

from django.urls import include, path

from annotations import api, views, views_again, views_agreement, views_queue, views_review, views_worklist

urlpatterns = [
    *views_worklist.urlpatterns,
    *views.urlpatterns,
    *views_again.urlpatterns,
    *views_queue.urlpatterns,
    *views_review.urlpatterns,
    *views_agreement.urlpatterns,
    path("api/v1/", include(api.urlpatterns)),
]
