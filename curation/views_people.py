"""Pages of people: who they are, what they may do where, and the forms that change it. No script is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from knox.models import get_token_model

from curation import people
from curation.access import require, signed_in
from curation.accounts import SHOWN_OF_TOKEN
from curation.models import Benchmark, Membership, Role, User
from curation.people import PersonRefused
from curation.permissions import GIVE_ROLES, MANAGE_PEOPLE, NEEDED, roles_to_give

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

PEOPLE_A_PAGE = 50
LONGEST_TEXT = 150
STATES = ("active", "deactivated")
FILTERS = ("name", "state", "role", "benchmark", "after")


@dataclass(frozen=True)
class Reach:
    """Whose roles somebody may change, and where."""

    user: User
    is_admin: bool
    benchmarks: list[Benchmark]

    def people(self) -> QuerySet[User]:
        """An admin of all benchmarks sees everybody, a curator whoever has a role where the curator is one."""
        if self.is_admin:
            return User.objects.all()
        here = Membership.objects.filter(user=OuterRef("pk"))
        return User.objects.filter(Exists(here.filter(Q(benchmark__in=self.benchmarks) | Q(benchmark=None))))

    def seen(self) -> QuerySet[Membership]:
        """The roles that are shown."""
        rows = Membership.objects.select_related("benchmark").order_by("benchmark__title", "role")
        return rows if self.is_admin else rows.filter(Q(benchmark__in=self.benchmarks) | Q(benchmark=None))

    def roles(self) -> list[Role]:
        """Every role that can be given somewhere."""
        places = [None, *self.benchmarks] if self.is_admin else list(self.benchmarks)
        return sorted({role for place in places for role in roles_to_give(self.user, place)}, key=lambda one: one.rank)


def reach_of(user: User) -> Reach:
    """Raises PermissionDenied for whoever changes nobody's roles."""
    is_admin = user.has_perm(MANAGE_PEOPLE)
    visible = Benchmark.objects.visible_to(user).order_by("title")
    benchmarks = [one for one in visible if is_admin or user.has_perm(GIVE_ROLES, one)]
    if not benchmarks and not is_admin:
        raise PermissionDenied(f"This needs the role {NEEDED[GIVE_ROLES]} in a benchmark.")
    return Reach(user, is_admin, benchmarks)


@require_http_methods(["GET", "HEAD", "POST"])
def users(request: HttpRequest) -> HttpResponse:
    """Who is here, by user name; a POST makes a user."""
    reach = reach_of(signed_in(request))
    if request.method == "POST":
        require(reach.user, MANAGE_PEOPLE, None)
        return _create(request, reach)
    given = {name: text for name, value in request.GET.items() if (text := str(value).strip())}
    wrong = _wrong_filter(given)
    rows = User.objects.none() if wrong else _narrowed(reach, given)
    page = list(rows[: PEOPLE_A_PAGE + 1])
    further = request.GET.copy()
    if len(page) > PEOPLE_A_PAGE:
        further["after"] = page[PEOPLE_A_PAGE - 1].username
    context = {
        "nav": "users",
        "rows": page[:PEOPLE_A_PAGE],
        "next_query": further.urlencode() if len(page) > PEOPLE_A_PAGE else "",
        "given": given,
        "wrong": wrong,
        "reach": reach,
        "all_roles": sorted(Role, key=lambda role: role.rank),
    }
    return render(request, "curation/users.html", context, status=400 if wrong else 200)


def _wrong_filter(given: dict[str, str]) -> str:
    for name, value in given.items():
        if name not in FILTERS:
            return f"{name[:80]} is not a known filter; known: {', '.join(FILTERS)}"
        if "\0" in value or len(value) > LONGEST_TEXT:
            return f"{name} holds a NUL character or more than {LONGEST_TEXT} characters"
    if given.get("state", "active") not in STATES:
        return f"state: {given['state']!r} is none of {', '.join(STATES)}"
    if given.get("role", Role.READER) not in Role.values:
        return f"role: {given['role']!r} is none of {', '.join(Role.values)}"
    return ""


def _narrowed(reach: Reach, given: dict[str, str]) -> QuerySet[User]:
    rows = reach.people()
    if "name" in given:
        word = given["name"]
        rows = rows.filter(Q(username__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word))
    if "state" in given:
        rows = rows.filter(is_active=given["state"] == "active")
    held = reach.seen().filter(user=OuterRef("pk")).order_by()
    if "role" in given:
        held = held.filter(role=given["role"])
    if "benchmark" in given:
        held = held.filter(benchmark__slug=given["benchmark"])
    if "role" in given or "benchmark" in given:
        rows = rows.filter(Exists(held))
    if "after" in given:
        rows = rows.filter(username__gt=given["after"])
    shown = Prefetch("memberships", queryset=reach.seen(), to_attr="seen_roles")
    return rows.prefetch_related(shown).order_by("username")


def _create(request: HttpRequest, reach: Reach) -> HttpResponse:
    try:
        name, full_name = _text(request, "name"), _text(request, "full_name")
        made, password = people.create_person(name=name, full_name=full_name, actor=reach.user)
    except PersonRefused as error:
        return _back(request, f"No user was made: {error}.")
    return _person_page(request, reach, made, told=("Password", password))


@require_safe
def user(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    """One person: roles, and for an admin of all benchmarks account and tokens."""
    reach = reach_of(signed_in(request))
    return _person_page(request, reach, get_object_or_404(reach.people(), pk=user_id))


def _person_page(
    request: HttpRequest, reach: Reach, person: User, *, told: tuple[str, str] | None = None
) -> HttpResponse:
    tokens = get_token_model().objects.filter(user=person).order_by("-created") if reach.is_admin else []
    held = [
        (one, one.role in roles_to_give(reach.user, one.benchmark) and (reach.is_admin or person.pk != reach.user.pk))
        for one in reach.seen().filter(user=person)
    ]
    context = {
        "nav": "users",
        "person": person,
        "held": held,
        "tokens": [(token, token.token_key[:SHOWN_OF_TOKEN]) for token in tokens],
        "reach": reach,
        "is_self": person.pk == reach.user.pk,
        "may_change_roles": reach.is_admin or person.pk != reach.user.pk,
        "told": told,
    }
    return render(request, "curation/user.html", context)


@require_POST
def roles(request: HttpRequest) -> HttpResponse:
    """Give a role to a person named by user name, or take one away (`act`)."""
    reach = reach_of(signed_in(request))
    try:
        person = _named_person(_text(request, "name"))
        benchmark = _named_benchmark(_text(request, "benchmark"), reach)
        role = _named_role(_text(request, "role"))
        act = request.POST.get("act", "")
        change = {"give": people.give_role, "take": people.take_role}.get(act)
        if change is None:
            raise PersonRefused(f"act: {act[:40]!r} is neither give nor take")
        is_changed = change(person=person, role=role, benchmark=benchmark, actor=reach.user)
    except PersonRefused as error:
        return _back(request, f"Nothing was changed: {error}.")
    where = benchmark.title if benchmark else people.EVERY_BENCHMARK
    now = {("give", True): "is now", ("give", False): "was already", ("take", True): "is no longer"}
    messages.success(request, f"{person.username} {now.get((act, is_changed), 'was not')} {role.label} in {where}.")
    is_seen = reach.people().filter(pk=person.pk).exists()
    return redirect("user-page", user_id=person.pk) if is_seen else redirect("users-page")


@require_POST
def account(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    """What only an admin of all benchmarks does: password, tokens, letting in and shutting out (`act`)."""
    actor = signed_in(request)
    reach = reach_of(actor)
    require(actor, MANAGE_PEOPLE, None)
    person = get_object_or_404(User, pk=user_id)
    made: dict[str, tuple[str, Callable[..., str]]] = {
        "reset_password": ("Password", people.reset_password),
        "activate": ("Password", people.activate),
        "make_token": ("API token", people.make_token),
    }
    act = request.POST.get("act", "")
    try:
        if act in made:
            what, change = made[act]
            return _person_page(request, reach, person, told=(what, change(person=person, actor=actor)))
        if act == "deactivate":
            people.deactivate(person=person, actor=actor)
            messages.success(request, f"{person.username} is deactivated; sessions and tokens have ended.")
        elif act == "revoke_token":
            is_gone = people.revoke_token(person=person, begins_with=_text(request, "token"), actor=actor)
            messages.info(request, "The token is revoked." if is_gone else "There is no such token any more.")
        else:
            raise PersonRefused(f"act: {act[:40]!r} is none that this page knows")
    except PersonRefused as error:
        return _back(request, f"Nothing was changed: {error}.", person)
    return redirect("user-page", user_id=person.pk)


def _back(request: HttpRequest, why: str, person: User | None = None) -> HttpResponse:
    messages.add_message(request, messages.ERROR, why, extra_tags="bad")
    return redirect("user-page", user_id=person.pk) if person else redirect("users-page")


def _text(request: HttpRequest, name: str) -> str:
    value = request.POST.get(name, "").strip()
    if "\0" in value or len(value) > LONGEST_TEXT:
        raise PersonRefused(f"{name} holds a NUL character or more than {LONGEST_TEXT} characters")
    return value


def _named_person(name: str) -> User:
    found = User.objects.filter(username=name).first()
    if found is None:
        raise PersonRefused(f"there is no user {name!r}")
    return found


def _named_role(role: str) -> Role:
    if role not in Role.values:
        raise PersonRefused(f"role: {role!r} is none of {', '.join(Role.values)}")
    return Role(role)


def _named_benchmark(slug: str, reach: Reach) -> Benchmark | None:
    """The benchmark of a form; "*" stands for all of them."""
    if slug == "*":
        return None
    found = next((one for one in reach.benchmarks if one.slug == slug), None)
    if found is None:
        raise PersonRefused(f"there is no benchmark {slug!r}")
    return found


urlpatterns = [
    path("users/", users, name="users-page"),
    path("users/roles/", roles, name="user-roles"),
    path("users/<uuid:user_id>/", user, name="user-page"),
    path("users/<uuid:user_id>/account/", account, name="user-account"),
]
