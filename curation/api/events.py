"""Endpoints of live events."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
