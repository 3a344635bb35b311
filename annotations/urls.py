"""Addresses of this app."""

from django.urls import include, path

from annotations import api, views

urlpatterns = [*views.urlpatterns, path("api/v1/", include(api.urlpatterns))]
