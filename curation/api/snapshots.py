"""Endpoints of snapshots."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
