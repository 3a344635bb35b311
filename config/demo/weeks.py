"""Some weeks of reading by the demo's readers, so that pages over time and of agreement are not empty.

Everything is done as people would do it, through the queue: asked for, saved, submitted, skipped. Only the clock is
the demo's own (config/demo/clock.py). Who reads when, and what they say of a case, comes from a seed; which case they
get is the queue's affair, and which are probes its secret.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from annotations import assigning, drafting, probes, pushing, queue_settings, submission
from annotations.models import Reading
from config.demo import fetal, grounding, talk, thinking
from config.demo.clock import PAST, WEEKS
from config.demo.pictures import SEED
from config.demo.reading import HANDS, Hand, said_by
from curation.models import Benchmark, OrderPolicy, User
from curation.permissions import READ

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from annotations.assigning import HandedOut
    from config.demo.clock import Clock

# How many cases of a benchmark each hand ends in these weeks, in their order; some are left for whoever tries it.
TURNS = {
    thinking.SLUG: (13, 11, 14, 9, 8),
    fetal.SLUG: (26, 22, 28, 23, 21),
    grounding.SLUG: (9, 7, 10, 6, 8),
}
PROBES = 10
PROBE_RATE = 0.5
# Once there are enough of them, a curator lowers it.
RATE_AFTER = 0.1
SKIPPED = 0.04
REASONS = ("The picture is too dark to tell.", "I know how this phantom was made.", "Two options fit equally well.")
# Of working hours, in UTC.
FIRST_HOUR, LAST_HOUR = 7, 17
WEEKEND = 0.15
# One save would count no more than two minutes at work (annotations/drafting.py).
LONGEST_STRETCH_S = 110.0
DUE_DAYS = 3.0


@dataclass(frozen=True)
class Turn:
    """A reader sits down to one case of a benchmark."""

    day: float
    slug: str
    hand: Hand
    number: int


@transaction.atomic
def add_weeks(benchmarks: Iterable[Benchmark], *, clock: Clock, curator: User | None, reviewer: User | None) -> int:
    """Let the demo's readers read phantom benchmarks for some weeks; returns how many readings were submitted.

    All of it or, if it is cut off, nothing: a second run finds readings and changes nothing.

    Parameters
    ----------
    benchmarks
        Those in which somebody has read something, and those that TURNS does not name, are left alone.
    clock
        Runs already; it is moved from the start of the weeks to their end.
    curator
        Who sets up the queues and assigns; None leaves all as it is.
    reviewer
        Who settles cases; None leaves them open.
    """
    wanted = {one.slug: one for one in benchmarks if one.slug in TURNS and _is_unread(one)}
    if curator is None or not wanted:
        return 0
    readers = {hand.name: User.objects.filter(username=hand.name, is_active=True).first() for hand in HANDS}
    _set_up(wanted, curator)
    submitted = 0
    for turn in sorted(_turns(wanted, clock), key=lambda turn: turn.day):
        reader, benchmark = readers[turn.hand.name], wanted[turn.slug]
        if reader is not None and reader.has_perm(READ, benchmark):
            clock.set(clock.at(turn.day))
            submitted += _take_turn(turn, benchmark, reader, clock)
    clock.set(clock.at(PAST.days - 1))
    if thinking.SLUG in wanted:
        talk.leave_surplus(wanted[thinking.SLUG], clock)
        talk.settle(wanted[thinking.SLUG], clock, reviewer=reviewer, curator=curator)
    if fetal.SLUG in wanted:
        probes.change_probing(benchmark=wanted[fetal.SLUG], actor=curator, probe_rate=RATE_AFTER)
        _assign(wanted[fetal.SLUG], readers[HANDS[3].name], curator, clock)
    return submitted


def _is_unread(benchmark: Benchmark) -> bool:
    return not Reading.objects.filter(case__benchmark=benchmark).exists()


def _set_up(benchmarks: dict[str, Benchmark], curator: User) -> None:
    """Probes and a balanced order in one benchmark, an order led by disagreement in another."""
    if fetal.SLUG in benchmarks:
        benchmark = benchmarks[fetal.SLUG]
        every = list(benchmark.cases.order_by("position").values_list("pk", flat=True))
        probes.mark_probes(
            benchmark=benchmark, case_ids=every[:: len(every) // PROBES][:PROBES], is_probe=True, actor=curator
        )
        probes.change_probing(benchmark=benchmark, actor=curator, probe_rate=PROBE_RATE)
        _order(benchmark, OrderPolicy.BALANCED, curator)
    if grounding.SLUG in benchmarks:
        _order(benchmarks[grounding.SLUG], OrderPolicy.DISAGREEMENT, curator)


def _order(benchmark: Benchmark, policy: OrderPolicy, curator: User) -> None:
    queue_settings.change(
        benchmark=benchmark, wanted=queue_settings.Settings(policy=policy.value, seed=SEED), actor=curator
    )


def _turns(benchmarks: Iterable[str], clock: Clock) -> Iterator[Turn]:
    """Who sits down when: on working days mostly, in working hours."""
    days = range(PAST.days - 1)
    weights = [WEEKEND if clock.at(day).weekday() > 4 else 1.0 for day in days]
    for slug in benchmarks:
        for hand, count in zip(HANDS, TURNS[slug], strict=True):
            rng = random.Random(f"{SEED} {slug} {hand.name}")
            chosen = sorted(
                day + rng.uniform(FIRST_HOUR, LAST_HOUR) / 24 for day in rng.choices(days, weights, k=count)
            )
            for number, day in enumerate(chosen):
                yield Turn(day, slug, hand, number)


def _take_turn(turn: Turn, benchmark: Benchmark, reader: User, clock: Clock) -> int:
    """Ask for a case and read it, or skip it; returns how many readings were submitted."""
    handed = assigning.next_case(reader=reader, benchmark=benchmark)
    if isinstance(handed, assigning.NothingLeft):
        return 0
    rng = random.Random(f"{SEED} {turn.slug} {turn.hand.name} {turn.number}")
    if rng.random() < SKIPPED:
        clock.wait(20)
        assigning.skip(assignment_id=handed.assignment.pk, reason=rng.choice(REASONS))
        return 0
    seconds = turn.hand.seconds * rng.lognormvariate(0.0, 0.35)
    read(handed, turn.hand, clock, weeks=turn.day / PAST.days * WEEKS, seconds=seconds)
    return 1


def read(handed: HandedOut, hand: Hand, clock: Clock, *, weeks: float, seconds: float) -> None:
    """Save what the hand says, after the time that it takes, and submit it."""
    content = said_by(hand, handed.reading.case, weeks=weeks)
    version = handed.reading.version
    while seconds > LONGEST_STRETCH_S:
        clock.wait(LONGEST_STRETCH_S)
        seconds -= LONGEST_STRETCH_S
        # Something new each time, or the save would count as one that was sent again.
        begun: dict[str, Any] = {**content, "answer": None, "confidence": None, "steps": content["steps"][:1]}
        version = drafting.save_draft(reading_id=handed.reading.pk, version=version, content=begun).version
    clock.wait(seconds)
    saved = drafting.save_draft(reading_id=handed.reading.pk, version=version, content=content)
    submission.submit(reading_id=handed.reading.pk, version=saved.version, key=f"demo-{handed.reading.pk}")


def _assign(benchmark: Benchmark, reader: User | None, curator: User, clock: Clock) -> None:
    """Give a reader the next cases by name, to be read in some days."""
    if reader is None or not reader.has_perm(READ, benchmark):
        return
    due: dt.datetime = clock.at(PAST.days + DUE_DAYS)
    case_ids = pushing.next_unassigned(benchmark=benchmark, reader=reader, count=2)
    pushing.assign(benchmark=benchmark, case_ids=case_ids, reader=reader, curator=curator, due_at=due)
