"""What Django's administration may only look at: content-addressed, frozen or trailed rows of every app."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Q

from curation.access import signed_in
from curation.looking import see_rows
from curation.models import Role

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    ModelAdmin = admin.ModelAdmin[Any]
else:
    # Generic for the type checker only.
    ModelAdmin = admin.ModelAdmin


class Untouched:
    """No adding, changing or deleting: operations do that, and say so in the trail."""

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, *_: Any, **__: Any) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        """Nobody."""
        return False


class LookOnly(Untouched, ModelAdmin):
    """A list and its rows, to look at; each look is in the trail, and names the case of the row where there is one."""

    #: From a row to the id of its case.
    case_path: str | None = None

    def changelist_view(self, request: HttpRequest, *args: Any, **given: Any) -> HttpResponse:
        """The list."""
        see_rows(user=signed_in(request), table=self.opts.label_lower)
        return super().changelist_view(request, *args, **given)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **given: Any) -> HttpResponse:
        """One row; what is refused or not there is no look."""
        answer = super().change_view(request, object_id, *args, **given)
        if answer.status_code == HTTPStatus.OK:
            key = unquote(object_id)
            row = self.get_queryset(request).filter(pk=key).order_by()
            case_id = row.values_list(self.case_path, flat=True).first() if self.case_path else None
            see_rows(user=signed_in(request), table=self.opts.label_lower, row=key, case_id=case_id)
        return answer


class NotForReaders(LookOnly):
    """Rows that tell what a source, experts or models say of cases: none of benchmarks in which the user reads."""

    benchmark_path = "benchmark"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Also of cases read already: one rule, as on the page of the trail."""
        reads_in = [key for key, roles in signed_in(request).roles_by_benchmark().items() if Role.READER in roles]
        elsewhere = Q(**{f"{self.benchmark_path}__isnull": True})
        if None not in reads_in:
            elsewhere |= ~Q(**{f"{self.benchmark_path}__in": reads_in})
        return super().get_queryset(request).filter(elsewhere)


class LookOnlySite(admin.AdminSite):
    """Takes nothing that could be changed: a token or a task of the beat made here would pass the trail by."""

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """What packages register for themselves is left out."""
        if admin_class is not None and issubclass(admin_class, LookOnly):
            super().register(model_or_iterable, admin_class, **options)
