"""API tokens: who calls, in one statement, and refused at once when anything was taken away."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.test import APIClient

from curation.accounts import give_role, new_token
from curation.models import Role
from curation.protocols import create_benchmark
from curation.tokens import TokenAuthentication

if TYPE_CHECKING:
    from curation.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader() -> User:
    user, _ = give_role(name="ada", role=Role.READER, benchmark=create_benchmark(slug="here", kind="free"))
    return user


def test_one_statement_tells_the_user_and_every_role(reader: User, django_assert_num_queries: Any) -> None:
    there = create_benchmark(slug="there", kind="free")
    for role in (Role.REVIEWER, Role.CURATOR):
        give_role(name="ada", role=role, benchmark=there)
    token = new_token(user=reader)
    with django_assert_num_queries(1):
        user, auth = TokenAuthentication().authenticate_credentials(token.encode())
        assert user.roles_in(there.pk) == {"reviewer", "curator"}
    assert user == reader
    assert user.username == "ada"
    assert user.date_joined == reader.date_joined
    assert auth == AuthToken.objects.get()
    assert auth.user is user


def test_who_holds_no_role_has_none(reader: User) -> None:
    reader.memberships.all().delete()
    user, _ = TokenAuthentication().authenticate_credentials(new_token(user=reader).encode())
    assert user.roles_by_benchmark() == {}


def test_a_role_in_every_benchmark_is_one(reader: User) -> None:
    give_role(name="ada", role=Role.CURATOR, benchmark=None)
    user, _ = TokenAuthentication().authenticate_credentials(new_token(user=reader).encode())
    assert user.roles_by_benchmark()[None] == {"curator"}


@pytest.mark.parametrize("token", [b"", b"\xff\xfe", b"no token", b"a\x00b", "é".encode(), b"f" * 5000])
def test_what_is_no_token_is_refused(reader: User, token: bytes) -> None:
    new_token(user=reader)
    with pytest.raises(AuthenticationFailed):
        TokenAuthentication().authenticate_credentials(token)


def test_a_token_of_the_same_beginning_is_refused(reader: User) -> None:
    token = new_token(user=reader)
    with pytest.raises(AuthenticationFailed):
        TokenAuthentication().authenticate_credentials(f"{token[:-1]}{'0' if token[-1] != '0' else '1'}".encode())


def test_one_that_ran_out_is_refused_and_goes(reader: User) -> None:
    token = new_token(user=reader)
    AuthToken.objects.update(expiry=timezone.now() - dt.timedelta(seconds=1))
    with pytest.raises(AuthenticationFailed):
        TokenAuthentication().authenticate_credentials(token.encode())
    assert not AuthToken.objects.exists()


def test_what_is_taken_away_ends_at_once(reader: User) -> None:
    caller = APIClient()
    caller.credentials(HTTP_AUTHORIZATION=f"Token {new_token(user=reader)}")
    assert caller.get("/api/v1/benchmarks/here/").status_code == 200
    reader.memberships.all().delete()
    assert caller.get("/api/v1/benchmarks/here/").status_code == 404
    reader.is_active = False
    reader.save()
    assert caller.get("/api/v1/benchmarks/here/").status_code == 401
    reader.is_active = True
    reader.save()
    AuthToken.objects.all().delete()
    assert caller.get("/api/v1/benchmarks/here/").status_code == 401
