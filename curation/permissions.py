"""Who may do what, as predicates over (user, benchmark); an endpoint names one of these or nobody gets in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rules import add_perm, predicate

from curation.models import Benchmark, Role, User

if TYPE_CHECKING:
    from collections.abc import Iterable

VIEW = "curation.view_benchmark"
READ = "curation.read_cases"
SEE_OTHERS = "curation.see_others"
REVIEW = "curation.review_cases"
SEE_MODELS = "curation.see_models"
RUN_MODELS = "curation.run_models"
SCHEDULE = "curation.schedule_runs"
CURATE = "curation.curate"
CREATE = "curation.create_benchmark"
SEE_TRAIL = "curation.see_trail"
GIVE_ROLES = "curation.give_roles"
MANAGE_PEOPLE = "curation.manage_people"

# What to ask for, in words, when a permission is missing.
NEEDED = {
    VIEW: "reader, or any other",
    READ: "reader",
    SEE_OTHERS: "reviewer, engineer, curator or admin",
    REVIEW: "reviewer, curator or admin",
    SEE_MODELS: "reviewer, engineer, curator or admin",
    RUN_MODELS: "engineer or admin",
    SCHEDULE: "engineer, curator or admin",
    CURATE: "curator or admin",
    CREATE: "curator or admin",
    SEE_TRAIL: "curator or admin",
    GIVE_ROLES: "curator or admin",
    MANAGE_PEOPLE: "admin",
}
# What a curator may give and take in a benchmark; an admin there every role.
GIVEN_BY_CURATORS = frozenset({Role.READER, Role.REVIEWER})


def _holds(user: object, benchmark: Benchmark | None, roles: Iterable[str]) -> bool:
    if not isinstance(user, User) or not user.is_active:
        return False
    if benchmark is None:
        held = user.roles_by_benchmark().get(None, frozenset())
        held = held | {Role.ADMIN.value} if user.is_superuser else held
    else:
        held = user.roles_in(benchmark.pk)
    return bool(held & set(roles))


@predicate
def is_member(user: object, benchmark: Benchmark | None) -> bool:
    """Any role."""
    return _holds(user, benchmark, Role.values)


@predicate
def is_reader(user: object, benchmark: Benchmark | None) -> bool:
    """Reads cases: only who was made a reader, so that a curator does not fill a place by accident."""
    return _holds(user, benchmark, [Role.READER])


@predicate
def is_staff_of(user: object, benchmark: Benchmark | None) -> bool:
    """Reviewer, engineer, curator or admin: everyone who is more than a reader."""
    return _holds(user, benchmark, [Role.REVIEWER, Role.ENGINEER, Role.CURATOR, Role.ADMIN])


@predicate
def is_reviewer(user: object, benchmark: Benchmark | None) -> bool:
    """May settle what is true of a case: engineers may not, whose models are held against it."""
    return _holds(user, benchmark, [Role.REVIEWER, Role.CURATOR, Role.ADMIN])


@predicate
def is_engineer(user: object, benchmark: Benchmark | None) -> bool:
    """May register models, enrol them and start runs."""
    return _holds(user, benchmark, [Role.ENGINEER, Role.ADMIN])


@predicate
def is_keeper(user: object, benchmark: Benchmark | None) -> bool:
    """May say when numbers are brought up to date, and at which cost: who runs models, and who answers for them."""
    return _holds(user, benchmark, [Role.ENGINEER, Role.CURATOR, Role.ADMIN])


@predicate
def is_curator(user: object, benchmark: Benchmark | None) -> bool:
    """May change a benchmark, import, check images, freeze and export."""
    return _holds(user, benchmark, [Role.CURATOR, Role.ADMIN])


@predicate
def is_admin(user: object, benchmark: Benchmark | None) -> bool:
    """Admin of a benchmark or, where none is named, of all of them."""
    return _holds(user, benchmark, [Role.ADMIN])


def roles_to_give(user: User, benchmark: Benchmark | None) -> frozenset[Role]:
    """The roles that the user may give to others, and take from them, in a benchmark (None: in all of them)."""
    if is_admin(user, benchmark):
        return frozenset(Role)
    return GIVEN_BY_CURATORS if is_curator(user, benchmark) else frozenset()


add_perm(VIEW, is_member)
add_perm(READ, is_reader)
add_perm(SEE_OTHERS, is_staff_of)
add_perm(REVIEW, is_reviewer)
add_perm(SEE_MODELS, is_staff_of)
add_perm(RUN_MODELS, is_engineer)
add_perm(SCHEDULE, is_keeper)
add_perm(CURATE, is_curator)
add_perm(CREATE, is_curator)
add_perm(SEE_TRAIL, is_curator)
add_perm(GIVE_ROLES, is_curator)
add_perm(MANAGE_PEOPLE, is_admin)
