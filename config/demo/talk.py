"""What is settled, argued about and left open in the demo: reviews, comments, a draft that came too late."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from annotations import assigning, commenting, drafting, escalating, review, submission
from annotations.models import Anchor, Reading, ReadingState
from config.demo.reading import HANDS, Hand, said_by
from curation.models import Case, User
from curation.permissions import READ, REVIEW

if TYPE_CHECKING:
    from config.demo.clock import Clock
    from curation.models import Benchmark

LATE, PUNCTUAL = HANDS[4], HANDS[:4]
AN_HOUR = 3600.0
MINUTES_A_CASE = 4 * 60.0
# By then nobody of the punctual would still find the case.
MOST_CASES = 8
WHY_CLOSED = "Two of three name the same option and outline the same lesion; the third took its size for larger."
WHY_ESCALATED = "Each of the three answers can be argued for. I would like a second opinion before this becomes gold."
ASKED = "@{reader} which edge did you go by here? The other two outline a smaller lesion."
ANSWERED = "By the outer rim. On a second look the inner one is right."
OPEN = "@{curator} the options differ in one word only; is the question as the source has it?"


def leave_surplus(benchmark: Benchmark, clock: Clock) -> None:
    """One reader begins a case and goes away; others read it; the reader comes back and finds no place."""
    late = _reader(LATE, benchmark)
    handed = assigning.next_case(reader=late, benchmark=benchmark) if late else None
    if not isinstance(handed, assigning.HandedOut):
        return
    begun = said_by(LATE, handed.reading.case)
    clock.wait(LATE.seconds)
    version = drafting.save_draft(
        reading_id=handed.reading.pk, version=handed.reading.version, content={**begun, "steps": begun["steps"][:1]}
    ).version
    clock.wait(AN_HOUR)
    for hand in PUNCTUAL:
        _read_on(hand, benchmark, handed.reading.case, clock)
    clock.wait(AN_HOUR)
    drafting.save_draft(reading_id=handed.reading.pk, version=version, content=begun)


def _read_on(hand: Hand, benchmark: Benchmark, until: Case, clock: Clock) -> None:
    """Let a reader read up to a case, if it has a place left for them."""
    reader = _reader(hand, benchmark)
    for _ in range(MOST_CASES if reader else 0):
        submitted = Reading.objects.filter(case=until, revision__gt=0)
        if submitted.count() >= until.places or submitted.filter(reader=reader).exists():
            return
        handed = assigning.next_case(reader=reader, benchmark=benchmark) if reader else None
        if not isinstance(handed, assigning.HandedOut):
            return
        clock.wait(hand.seconds)
        reading = handed.reading
        saved = drafting.save_draft(
            reading_id=reading.pk, version=reading.version, content=said_by(hand, reading.case, weeks=5)
        )
        submission.submit(reading_id=reading.pk, version=saved.version, key=f"demo-{reading.pk}")
        clock.wait(MINUTES_A_CASE)


def settle(benchmark: Benchmark, clock: Clock, *, reviewer: User | None, curator: User) -> None:
    """Close the review of one case that readers saw differently, and hand on that of another."""
    if reviewer is None or not reviewer.has_perm(REVIEW, benchmark):
        return
    said = {case: _answers(case) for case in benchmark.cases.order_by("position")}
    apart = [case for case, answers in said.items() if len(answers) > 1]
    agreed = next(
        (case for case in apart if len(said[case]) == 2 and said[case].most_common(1)[0][0] == case.answer), None
    )
    split = next((case for case in reversed(apart) if case != agreed), None)
    if agreed is not None:
        _talk_over(agreed, reviewer, clock)
        _close(agreed, reviewer, clock)
    if split is not None:
        _escalate(split, reviewer, curator, clock)


def _close(case: Case, reviewer: User, clock: Clock) -> None:
    held, _ = review.open_review(case_id=case.pk, reviewer=reviewer)
    clock.wait(MINUTES_A_CASE)
    wanted = review.Wanted(action="consensus", reason=WHY_CLOSED)
    review.close_review(review_id=held.pk, reviewer=reviewer, version=held.version, wanted=wanted)


def _talk_over(case: Case, reviewer: User, clock: Clock) -> None:
    """A question to whoever answered otherwise than gold, their answer, and the thread resolved."""
    asked = next(one for one in _submitted(case) if one.draft["answer"]["choice"] != case.answer)
    about = commenting.About(anchor=Anchor.FIELD, anchor_id="answer", reading=asked.pk)
    text = ASKED.format(reader=asked.reader.username)
    thread = commenting.write_comment(case=case, author=reviewer, text=text, about=about)
    clock.wait(AN_HOUR)
    commenting.write_comment(case=case, author=asked.reader, text=ANSWERED, parent_id=thread.pk)
    clock.wait(MINUTES_A_CASE)
    commenting.set_resolved(comment_id=thread.pk, actor=reviewer, is_resolved=True)


def _escalate(case: Case, reviewer: User, curator: User, clock: Clock) -> None:
    clock.wait(AN_HOUR)
    held, _ = review.open_review(case_id=case.pk, reviewer=reviewer)
    commenting.write_comment(case=case, author=reviewer, text=OPEN.format(curator=curator.username))
    clock.wait(MINUTES_A_CASE)
    escalating.escalate_review(review_id=held.pk, actor=reviewer, to=curator.username, reason=WHY_ESCALATED)


def _submitted(case: Case) -> list[Reading]:
    rows = Reading.objects.filter(case=case, state=ReadingState.SUBMITTED).select_related("reader")
    return list(rows.order_by("reader__username"))


def _answers(case: Case) -> Counter[str]:
    """How often each option was named, if all its readings are in; else nothing."""
    rows = _submitted(case)
    return Counter(row.draft["answer"]["choice"] for row in rows) if len(rows) >= case.places else Counter()


def _reader(hand: Hand, benchmark: Benchmark) -> User | None:
    found = User.objects.filter(username=hand.name, is_active=True).first()
    return found if found is not None and found.has_perm(READ, benchmark) else None
