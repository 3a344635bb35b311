"""Addresses of this app."""

from django.urls import include, path

from annotations import api, views, views_worklist

urlpatterns = [*views_worklist.urlpatterns, *views.urlpatterns, path("api/v1/", include(api.urlpatterns))]
