"""Every address of the product."""

from django.contrib import admin
from django.urls import include, path

handler403 = "curation.views_denied.denied"
urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("curation.urls")),
    path("", include("annotations.urls")),
    path("", include("inference.urls")),
]
