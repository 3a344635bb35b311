"""Which site Django's administration is."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class LookOnlyAdminConfig(AdminConfig):
    """Django's own, over a site that takes nothing that could be changed."""

    default_site = "curation.look_only.LookOnlySite"
