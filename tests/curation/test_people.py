"""Pages of users: who may change whom, what is shown once, and that nobody is left without an admin."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.test import Client
from django.urls import reverse
from knox.models import get_token_model

from curation import people
from curation.models import AuditEvent, Benchmark, Membership, Role, User
from curation.people import PersonRefused
from tests.annotations.together import at_once
from tests.factories import make_benchmark, make_user


@pytest.fixture
def chief(db: None) -> User:
    """Cleo administers every benchmark."""
    return make_user("cleo", Role.ADMIN)


@pytest.fixture
def browser() -> type[Client]:
    """Further browsers."""
    return Client


@pytest.fixture
def as_chief(client: Client, chief: User) -> Client:
    client.force_login(chief)
    return client


@pytest.fixture
def as_curator(client: Client, curator: User) -> Client:
    client.force_login(curator)
    return client


def change(client: Client, act: str, name: str, role: str, benchmark: str) -> str:
    """The page that stands after a role was given or taken."""
    given = {"act": act, "name": name, "role": role, "benchmark": benchmark}
    return str(client.post(reverse("user-roles"), given, follow=True).content.decode())


def account(client: Client, person: User, act: str, **rest: str) -> str:
    return str(
        client.post(reverse("user-account", args=[person.pk]), {"act": act, **rest}, follow=True).content.decode()
    )


def secret(page: str) -> str:
    """What is shown once."""
    found = re.search(r'class="mono value">([^<]+)<', page)
    assert found
    return found.group(1)


def noted(action: str) -> AuditEvent:
    return AuditEvent.objects.get(action=action)


class TestUsers:
    def test_an_admin_sees_everybody(self, as_chief: Client, reader: User, outsider: User) -> None:
        page = as_chief.get(reverse("users-page")).content.decode()
        assert all(name in page for name in ("cleo", "rosa", "otto"))

    def test_a_curator_sees_who_has_a_role_there(self, as_curator: Client, reader: User, outsider: User) -> None:
        Membership.objects.create(user=reader, benchmark=Benchmark.objects.get(slug="elsewhere"), role=Role.ENGINEER)
        page = as_curator.get(reverse("users-page"))
        assert [row.username for row in page.context["rows"]] == ["carl", "rosa"]
        assert "Elsewhere" not in page.content.decode()
        assert as_curator.get(reverse("user-page", args=[outsider.pk])).status_code == 404

    def test_the_list_costs_the_same_for_any_number(
        self, as_chief: Client, benchmark: Benchmark, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(6):
            as_chief.get(reverse("users-page"))
        for number in range(20):
            make_user(f"user{number}", Role.READER, benchmark)
        with django_assert_num_queries(6):
            as_chief.get(reverse("users-page"))

    def test_pages_follow_one_another(self, as_chief: Client, benchmark: Benchmark, monkeypatch: Any) -> None:
        monkeypatch.setattr("curation.views_people.PEOPLE_A_PAGE", 2)
        for name in "abcd":
            make_user(name, Role.READER, benchmark)
        query, seen = "", []
        for _ in range(3):
            context = as_chief.get(reverse("users-page") + query).context
            seen += [row.username for row in context["rows"]]
            query = "?" + context["next_query"]
        assert (seen, query) == (["a", "b", "c", "cleo", "d"], "?")

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("?name=ROS", ["rosa"]),
            ("?role=curator", ["carl"]),
            ("?benchmark=elsewhere", ["otto"]),
            ("?role=reader&benchmark=thorax", ["rosa"]),
            ("?state=deactivated", []),
        ],
    )
    def test_filters_narrow(
        self, as_chief: Client, reader: User, curator: User, outsider: User, query: str, names: list[str]
    ) -> None:
        rows = as_chief.get(reverse("users-page") + query).context["rows"]
        assert [row.username for row in rows] == names

    @pytest.mark.parametrize("query", ["?nme=x", "?state=gone", "?role=king", "?name=%00", "?name=" + "x" * 151])
    def test_a_wrong_filter_is_named(self, as_chief: Client, query: str) -> None:
        answer = as_chief.get(reverse("users-page") + query)
        assert answer.status_code == 400
        assert query[1:].split("=")[0] in answer.content.decode()


class TestCreating:
    def test_a_new_user_signs_in_with_the_password_shown_once(self, as_chief: Client, chief: User) -> None:
        given = {"name": "nora", "full_name": "Nora van Dyk"}
        page = as_chief.post(reverse("users-page"), given).content.decode()
        nora = User.objects.get(username="nora")
        assert authenticate(username="nora", password=secret(page)) == nora
        assert nora.get_full_name() == "Nora van Dyk"
        assert secret(page) not in as_chief.get(reverse("user-page", args=[nora.pk])).content.decode()
        event = noted("user.created")
        assert (event.actor, event.object_id, event.after) == (chief, str(nora.pk), {"name": "nora"})

    @pytest.mark.parametrize("name", ["", "a b", "x" * 151, "cleo", "CLEO", "a\0b", "<b>"])
    def test_a_name_that_cannot_be_one_makes_nothing(self, as_chief: Client, name: str) -> None:
        page = as_chief.post(reverse("users-page"), {"name": name}, follow=True).content.decode()
        assert "No user was made" in page
        assert User.objects.count() == 1

    def test_a_curator_makes_no_account(self, as_curator: Client) -> None:
        assert as_curator.post(reverse("users-page"), {"name": "nora"}).status_code == 403


class TestRoles:
    def test_given_and_taken(self, as_chief: Client, chief: User, benchmark: Benchmark) -> None:
        nora = make_user("nora")
        assert "nora is now Curator in Thorax." in change(as_chief, "give", "nora", "curator", "thorax")
        assert Membership.objects.get(user=nora).role == Role.CURATOR
        assert "nora was already Curator" in change(as_chief, "give", "nora", "curator", "thorax")
        assert "nora is no longer Curator" in change(as_chief, "take", "nora", "curator", "thorax")
        assert "nora was not Curator" in change(as_chief, "take", "nora", "curator", "thorax")
        assert not Membership.objects.filter(user=nora).exists()
        held = {"name": "nora", "role": "curator", "benchmark": "thorax"}
        assert (noted("user.role_given").after, noted("user.role_taken").before) == (held, held)
        assert noted("user.role_given").benchmark_id == benchmark.pk

    @pytest.mark.parametrize("role", ["reader", "reviewer"])
    def test_a_curator_gives_the_roles_of_readers(self, as_curator: Client, outsider: User, role: str) -> None:
        change(as_curator, "give", "otto", role, "thorax")
        assert outsider.memberships.filter(benchmark__slug="thorax", role=role).exists()

    @pytest.mark.parametrize(
        ("name", "role", "where"),
        [
            ("otto", "curator", "thorax"),
            ("otto", "admin", "thorax"),
            ("otto", "engineer", "thorax"),
            ("otto", "reader", "*"),
            ("otto", "reader", "elsewhere"),
            ("otto", "reader", "nowhere"),
            ("carl", "reader", "thorax"),
            ("nobody", "reader", "thorax"),
            ("otto", "king", "thorax"),
            ("otto\0", "reader", "thorax"),
        ],
    )
    def test_a_curator_gives_nothing_else(
        self, as_curator: Client, outsider: User, name: str, role: str, where: str
    ) -> None:
        before = Membership.objects.count()
        assert "Nothing was changed" in change(as_curator, "give", name, role, where)
        assert Membership.objects.count() == before

    def test_a_curator_makes_nobody_blind_who_oversees_them(self, as_curator: Client, admin: User) -> None:
        assert "holds a higher role" in change(as_curator, "give", admin.username, "reader", "thorax")
        assert not admin.memberships.filter(role="reader").exists()

    def test_a_curator_takes_no_higher_role(self, as_curator: Client, admin: User) -> None:
        assert "Nothing was changed" in change(as_curator, "take", "ada", "admin", "thorax")

    def test_a_curator_who_reads_does_not_lay_that_down(
        self, as_curator: Client, curator: User, benchmark: Benchmark
    ) -> None:
        Membership.objects.create(user=curator, benchmark=benchmark, role=Role.READER)
        assert "nobody changes the own roles" in change(as_curator, "take", "carl", "reader", "thorax")
        assert curator.memberships.filter(role=Role.READER).exists()

    def test_an_admin_of_a_benchmark_gives_every_role_there_only(
        self, client: Client, admin: User, outsider: User
    ) -> None:
        client.force_login(admin)
        assert "otto is now ML engineer" in change(client, "give", "otto", "engineer", "thorax")
        assert "Nothing was changed" in change(client, "give", "otto", "engineer", "elsewhere")
        assert "Nothing was changed" in change(client, "give", "otto", "admin", "*")

    def test_an_act_that_is_none_is_named(self, as_chief: Client, reader: User, benchmark: Benchmark) -> None:
        assert "neither give nor take" in change(as_chief, "lend", "rosa", "reader", "thorax")


class TestAccounts:
    def test_a_deactivated_person_is_out_at_once(self, as_chief: Client, reader: User, browser: type[Client]) -> None:
        hers = browser()
        hers.force_login(reader)
        _, token = get_token_model().objects.create(user=reader)
        program = {"Authorization": f"Token {token}"}
        assert hers.get(reverse("home")).status_code == 200
        assert hers.get(reverse("benchmarks"), headers=program).status_code == 200
        assert "deactivated" in account(as_chief, reader, "deactivate")
        assert hers.get(reverse("home")).status_code == 302
        assert browser().get(reverse("benchmarks"), headers=program).status_code == 401
        reader.refresh_from_db()
        assert not reader.is_active
        assert noted("user.deactivated").before == {"name": "rosa", "tokens": 1}

    def test_an_old_session_does_not_come_back_with_the_account(
        self, as_chief: Client, reader: User, browser: type[Client]
    ) -> None:
        hers = browser()
        hers.force_login(reader)
        account(as_chief, reader, "deactivate")
        page = account(as_chief, reader, "activate")
        assert hers.get(reverse("home")).status_code == 302
        assert authenticate(username="rosa", password=secret(page)) == reader
        assert reader.memberships.get().role == Role.READER
        assert noted("user.activated").object_id == str(reader.pk)

    def test_a_new_password_ends_sessions_and_tokens(
        self, as_chief: Client, reader: User, browser: type[Client]
    ) -> None:
        token = secret(account(as_chief, reader, "make_token"))
        hers = browser()
        hers.force_login(reader)
        page = account(as_chief, reader, "reset_password")
        assert authenticate(username="rosa", password=secret(page)) == reader
        assert hers.get(reverse("home")).status_code == 302
        program = {"Authorization": f"Token {token}"}
        assert browser().get(reverse("benchmarks"), headers=program).status_code == 401
        assert noted("user.password_reset").after == {"name": "rosa", "tokens_ended": 1}
        assert secret(page) not in str(noted("user.password_reset").after)

    def test_a_token_is_shown_once_and_revoked(self, as_chief: Client, reader: User, browser: type[Client]) -> None:
        token = secret(account(as_chief, reader, "make_token"))
        program = {"Authorization": f"Token {token}"}
        assert browser().get(reverse("benchmarks"), headers=program).status_code == 200
        page = as_chief.get(reverse("user-page", args=[reader.pk])).content.decode()
        assert token[:8] in page
        assert token not in page
        assert "The token is revoked." in account(as_chief, reader, "revoke_token", token=token[:8])
        assert browser().get(reverse("benchmarks"), headers=program).status_code == 401
        assert "no such token" in account(as_chief, reader, "revoke_token", token=token[:8])
        assert noted("user.token_made").after == {"name": "rosa", "begins_with": token[:8]}
        assert noted("user.token_revoked").before == {"name": "rosa", "begins_with": token[:8]}

    @pytest.mark.parametrize("act", ["make_token", "reset_password"])
    def test_a_deactivated_person_gets_nothing_new(self, as_chief: Client, reader: User, act: str) -> None:
        account(as_chief, reader, "deactivate")
        assert "Nothing was changed" in account(as_chief, reader, act)

    @pytest.mark.parametrize("token", ["", "a", "a" * 200, "\0" * 8])
    def test_no_token_is_revoked_by_accident(self, as_chief: Client, reader: User, token: str) -> None:
        get_token_model().objects.create(user=reader)
        account(as_chief, reader, "revoke_token", token=token)
        assert get_token_model().objects.filter(user=reader).count() == 1

    def test_an_act_that_is_none_is_named(self, as_chief: Client, reader: User) -> None:
        assert "none that this page knows" in account(as_chief, reader, "befriend")

    def test_django_administration_changes_nobody(self, client: Client, reader: User) -> None:
        client.force_login(User.objects.create_superuser(username="sue"))
        for model, row in (("user", reader.pk), ("membership", reader.memberships.get().pk)):
            page = client.get(reverse(f"admin:curation_{model}_change", args=[row]))
            assert page.status_code == 200
            assert reader.password not in page.content.decode()
            assert client.post(reverse(f"admin:curation_{model}_change", args=[row]), {}).status_code == 403


class TestLastAdmin:
    def test_nobody_deactivates_the_own_account(self, as_chief: Client, chief: User) -> None:
        make_user("second", Role.ADMIN)
        assert "nobody deactivates the own account" in account(as_chief, chief, "deactivate")

    def test_the_last_admin_keeps_the_role(self, as_chief: Client, chief: User) -> None:
        assert "the last admin of all benchmarks" in change(as_chief, "take", "cleo", "admin", "*")
        make_user("second", Role.ADMIN)
        assert "is no longer Admin" in change(as_chief, "take", "cleo", "admin", "*")

    def test_a_deactivated_admin_does_not_count(self, as_chief: Client, chief: User) -> None:
        second = make_user("second", Role.ADMIN)
        people.deactivate(person=second, actor=chief)
        assert "the last admin" in change(as_chief, "take", "cleo", "admin", "*")

    def test_a_superuser_counts(self, as_chief: Client, chief: User) -> None:
        User.objects.create_superuser(username="sue")
        assert "is no longer Admin" in change(as_chief, "take", "cleo", "admin", "*")

    @pytest.mark.django_db(transaction=True)
    def test_two_admins_at_once_do_not_remove_each_other(self) -> None:
        make_benchmark()
        first, second = make_user("first", Role.ADMIN), make_user("second", Role.ADMIN)

        def takes(actor: User, person: User) -> str:
            try:
                people.take_role(
                    person=User.objects.get(pk=person.pk),
                    role=Role.ADMIN,
                    benchmark=None,
                    actor=User.objects.get(pk=actor.pk),
                )
            except PersonRefused as error:
                return str(error)
            return ""

        told = at_once([lambda: takes(first, second), lambda: takes(second, first)])
        assert sorted(bool(why) for why in told) == [False, True]
        assert people.site_admins().count() == 1
