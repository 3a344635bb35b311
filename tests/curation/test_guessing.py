"""Log-ins that are guessed at: ten fail, then all wait, whoever they are and whatever they know."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.db import connections
from django.db.models import F

from curation.guessing import MOST_FAILURES, MOST_FROM_ADDRESS, WINDOW, GuessingGuard, may_try, name_digest, wait_for
from curation.models import LoginFailure, Role, User
from tests.factories import PASSWORD, make_user

if TYPE_CHECKING:
    from typing import Any

    from django.test import Client

HERE, THERE = "192.0.2.1", "192.0.2.2"


def log_in(client: Client, name: str, word: str, address: str = HERE, page: str = "/login/") -> Any:
    client.cookies.clear()
    return client.post(page, {"username": name, "password": word}, REMOTE_ADDR=address)


def pass_time(by: dt.timedelta) -> None:
    """As if what was counted lay so much further back."""
    LoginFailure.objects.update(at=F("at") - by)


@pytest.fixture
def rosa(db: None) -> User:
    return make_user("rosa")


def test_after_ten_failures_the_page_names_the_wait(client: Client, rosa: User) -> None:
    statuses = [log_in(client, "rosa", "wrong").status_code for _ in range(MOST_FAILURES)]
    assert statuses == [200] * (MOST_FAILURES - 1) + [429]
    pass_time(dt.timedelta(minutes=3, seconds=2))
    refused = log_in(client, "rosa", PASSWORD)
    assert refused.status_code == 429
    assert "log in again in 12 minutes" in refused.content.decode()
    assert 660 < int(refused["Retry-After"]) <= 718
    assert "_auth_user_id" not in client.session
    assert LoginFailure.objects.count() == MOST_FAILURES  # a try that was refused makes no wait longer
    pass_time(WINDOW)
    assert log_in(client, "rosa", PASSWORD).status_code == 302


@pytest.mark.parametrize("name", ["rosa", "nobody"])
def test_what_is_said_does_not_tell_which_half_was_wrong(client: Client, rosa: User, name: str) -> None:
    pages = [log_in(client, name, "wrong").content.decode().replace(name, "NAME") for _ in range(MOST_FAILURES + 1)]
    others = [log_in(client, "absent", "wrong", THERE).content.decode().replace("absent", "NAME") for _ in pages]

    def words(page: str) -> str:
        return page.split('role="alert">')[1].split("</div></div>")[0]

    assert [words(page) for page in pages] == [words(page) for page in others]


def test_by_name_from_any_address_and_by_address_for_any_name(client: Client, rosa: User) -> None:
    make_user("otto")
    for number in range(MOST_FAILURES):
        log_in(client, " ROSA"[number % 2 :], "wrong", f"198.51.100.{number}")
    assert log_in(client, "rosa", PASSWORD, THERE).status_code == 429
    assert log_in(client, "otto", PASSWORD, THERE).status_code == 302
    for number in range(MOST_FROM_ADDRESS):
        may_try(name=f"guess{number}", address=HERE)
    assert log_in(client, "otto", PASSWORD, HERE).status_code == 429
    assert log_in(client, "otto", PASSWORD, THERE).status_code == 302


def test_success_clears_what_that_name_failed_from_there_and_no_more(client: Client, rosa: User) -> None:
    log_in(client, "rosa", "wrong", THERE)
    for name in ("rosa", "rosa", "otto"):
        log_in(client, name, "wrong")
    assert log_in(client, "rosa", PASSWORD).status_code == 302
    left = set(LoginFailure.objects.values_list("name_digest", "address"))
    assert left == {(name_digest("rosa"), THERE), (name_digest("otto"), HERE)}


def test_many_log_ins_that_succeed_are_no_failures(client: Client, rosa: User) -> None:
    assert {log_in(client, "rosa", PASSWORD).status_code for _ in range(MOST_FAILURES + 2)} == {302}


def test_the_admins_own_form_is_behind_it_too(client: Client, db: None) -> None:
    chief = make_user("chief", Role.ADMIN)
    User.objects.filter(pk=chief.pk).update(is_staff=True, is_superuser=True)
    for _ in range(MOST_FAILURES):
        assert log_in(client, "chief", "wrong", page="/admin/login/").status_code == 200
    assert log_in(client, "chief", PASSWORD, page="/admin/login/").status_code == 200
    assert "_auth_user_id" not in client.session
    pass_time(WINDOW)
    assert log_in(client, "chief", PASSWORD, page="/admin/login/").status_code == 302


def test_what_no_longer_counts_is_removed_on_writing(db: None) -> None:
    for _ in range(3):
        may_try(name="rosa", address=HERE)
    pass_time(WINDOW)
    assert may_try(name="otto", address=HERE)
    assert list(LoginFailure.objects.values_list("name_digest", flat=True)) == [name_digest("otto")]


def test_no_name_is_stored_as_it_was_typed(client: Client, db: None) -> None:
    log_in(client, "my-password-in-the-wrong-field", "x")
    assert "my-password" not in str(list(LoginFailure.objects.values()))


def test_an_unknown_address_is_not_counted(db: None) -> None:
    for number in range(MOST_FROM_ADDRESS + 1):
        assert may_try(name=f"name{number}", address="")
    assert wait_for(name="another", address="") is None


def test_a_session_is_asked_of_another_backend(client: Client, rosa: User) -> None:
    client.force_login(rosa)
    assert client.get("/api/v1/benchmarks/").status_code == 200


def test_a_log_in_without_a_request_is_not_counted(db: None) -> None:
    GuessingGuard().authenticate(None, username="rosa", password="x")
    assert not LoginFailure.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_not_all_let_through() -> None:
    def attempt(_: int) -> bool:
        try:
            return may_try(name="rosa", address=HERE)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        tried = sum(pool.map(attempt, range(40)))
    # Rows that are not yet committed are not counted: at most one for each of the others at work.
    assert MOST_FAILURES - 8 <= tried <= MOST_FAILURES + 7
