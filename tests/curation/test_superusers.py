"""A superuser is an admin everywhere, and reads nowhere without the role: a place would be filled by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from curation.models import Benchmark, Case, Membership, Role, User
from curation.permissions import CREATE, CURATE, READ, RUN_MODELS, SEE_MODELS, SEE_OTHERS, VIEW

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db
NEXT = "/api/v1/benchmarks/{}/next/"


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser(username="sue", password="correct-horse-battery")


def test_every_permission_but_reading(superuser: User, benchmark: Benchmark) -> None:
    held = [VIEW, SEE_OTHERS, SEE_MODELS, RUN_MODELS, CURATE, CREATE]
    assert [name for name in [*held, READ] if superuser.has_perm(name, benchmark)] == held
    assert superuser.has_perm("auth.add_group")


def test_an_inactive_superuser_holds_nothing(superuser: User, benchmark: Benchmark) -> None:
    superuser.is_active = False
    assert not any(superuser.has_perm(name, benchmark) for name in (VIEW, READ, CURATE))


def test_no_case_is_handed_out_without_the_role(
    superuser: User, case: Case, api: Callable[[User | None], Any], client: Any
) -> None:
    slug = case.benchmark.slug
    assert api(superuser).post(NEXT.format(slug)).json()["reason"] == "not_assigned"
    client.force_login(superuser)
    assert client.get(reverse("read", args=[slug])).status_code == 403
    assert "Read the next case" not in client.get(reverse("benchmark-page", args=[slug])).content.decode()


def test_with_the_role_cases_are_handed_out(superuser: User, case: Case, api: Callable[[User | None], Any]) -> None:
    Membership.objects.create(user=superuser, benchmark=case.benchmark, role=Role.READER)
    assert api(superuser).post(NEXT.format(case.benchmark.slug)).json()["case"]["key"] == case.key
