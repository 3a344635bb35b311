"""Who may not see yet what others said of a case: other readings, model output, captions, the source's answer, gold."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet

from annotations.content import BadContent
from annotations.models import Arm, Reading
from curation.fields import FieldError
from curation.models import Case, Role

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Iterator

    from curation.models import Benchmark, User


def blind_case_ids(user: User, cases: Iterable[Case]) -> frozenset[uuid.UUID]:
    """Those of `cases` that the user must still read blind.

    Parameters
    ----------
    user
        Whoever asks. Other roles held beside reader do not lift blindness: a curator who also reads would otherwise
        anchor on a model before reading.
    cases
        Of any benchmarks; `benchmark_id` and `pk` are all that is looked at.

    Returns
    -------
    frozenset
        Ids of cases in whose benchmark the user is a reader and of which the user has no submitted revision. A reading
        taken up again for revision stays unblinded: its reader has seen the others already.

    Notes
    -----
    At most two queries (the user's roles, kept on the user, and the submitted readings), however many cases.
    """
    read_here = {case.pk for case in cases if Role.READER.value in user.roles_in(case.benchmark_id)}
    if not read_here:
        return frozenset()
    submitted = _submitted(user).filter(case__in=read_here).values_list("case_id", flat=True)
    return frozenset(read_here - set(submitted))


def is_blind(user: User, case: Case) -> bool:
    """Whether the user must still read this case blind, as `blind_case_ids` explains."""
    return bool(blind_case_ids(user, [case]))


@contextmanager
def hidden_faults(user: User, case: Case) -> Iterator[None]:
    """Say of another's draft only that something is wrong to who must still read the case blind: faults quote it."""
    try:
        yield
    except BadContent:
        if is_blind(user, case):
            what = "lacks what the protocol asks for; what it is opens to who need not read the case blind any more"
            raise BadContent((FieldError("reading", what),)) from None
        raise


def require_not_reading(user: User, benchmark: Benchmark) -> None:
    """Raise PermissionDenied (403) for who reads in the benchmark, whatever else they are there.

    For what cannot be split by case: which cases are probes, how readers do on them, whose answers changed.
    """
    if Role.READER.value in user.roles_in(benchmark.pk):
        raise PermissionDenied("You read in this benchmark, so what tells of its probes and readers is closed to you.")


def opened_cases(user: User) -> QuerySet[Case]:
    """Every case that the user need not read blind, for a list that is filtered in the database.

    Says nothing of what the user may see otherwise: narrow by `visible_to` as well.
    """
    reads_in = [key for key, roles in user.roles_by_benchmark().items() if Role.READER.value in roles]
    opened = Q(pk__in=_submitted(user).values("case"))
    if None in reads_in:
        return Case.objects.filter(opened)
    return Case.objects.filter(opened | ~Q(benchmark__in=[key for key in reads_in if key is not None]))


def _submitted(user: User) -> QuerySet[Reading]:
    """What the user has read unaided: an aided reading only comes after, and alone would open nothing."""
    return Reading.objects.filter(reader=user, arm=Arm.UNAIDED, revision__gt=0)
