"""What the readings of a case add up to, for the page on which somebody settles it."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.core.cache import cache
from django.db.models import Count, Exists, F, Max, OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KT

from annotations.consensus_regions import region_consensus, uncounted_rois
from annotations.consensus_steps import step_rows
from annotations.content import Frame
from annotations.metrics.consensus import dawid_skene_fit, posterior_entropy
from annotations.models import Arm, Reading, ReadingRevision, ReadingState
from annotations.naming import numbered
from curation.digests import digest, gold_record
from curation.models import Gold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from curation.models import Benchmark, Case

# Of a benchmark, the newest first: enough to know its readers by, and fitted within a second.
MOST_RATINGS = 30_000
# Of fewer cases nothing is known of who errs how: the estimate would only be sure of itself.
LEAST_CASES = 10
FIT_KEPT_S = 24 * 3600
_OUT = (ReadingState.CLOSED, ReadingState.SURPLUS)
_NAMESPACE = uuid.UUID("b5b7f1c4-1f0e-4d0f-9a58-0a9d6e1c3b77")


@dataclass(frozen=True)
class Fit:
    """Dawid and Skene's estimate over a benchmark, as it is kept: what one case's posterior is made of."""

    categories: tuple[str, ...]
    prior: tuple[float, ...]
    # Of each reader, (true category, said category).
    confusion: dict[str, list[list[float]]]
    ratings: int
    cases: int


def newest_of_case(case: Case) -> list[ReadingRevision]:
    """The newest submitted revision of each reading of a case, in the order of their first submits."""
    rows = ReadingRevision.objects.filter(reading__case=case, revision=F("reading__revision"))
    first = ReadingRevision.objects.filter(reading=OuterRef("reading"), revision=1).values("submitted_at")
    return list(
        rows.exclude(reading__state__in=_OUT).select_related("reading__reader").order_by(Subquery(first), "reading_id")
    )


def blind_of_case(case: Case) -> dict[uuid.UUID, ReadingRevision]:
    """Of each unaided reading of a case the newest revision that its reader wrote blind, as agreement counts it."""
    rows = ReadingRevision.objects.filter(reading__case=case, reading__arm=Arm.UNAIDED, is_after_looking=False)
    newest = rows.exclude(reading__state__in=_OUT).order_by("reading_id", "-revision").distinct("reading_id")
    return {row.reading_id: row for row in newest.select_related("reading").defer("reading__draft")}


def consensus_of(*, case: Case, is_named: bool = False) -> dict[str, Any]:
    """Everything that the readings of a case say, side by side, and what it adds up to.

    Parameters
    ----------
    case
        With its benchmark.
    is_named
        Readers by their names; else as R1, R2 … in the order of their first submits, so that who reviews weighs words,
        not people.

    Returns
    -------
    dict
        `readings` with their content; `counted`, the places in it of those that the consensus is made of, by what they
        said in `counted_revision`: unaided ones of the question and images as they are now, in the newest revision
        that was written blind. Aided ones, and what was revised after a look at others, at models or at gold, are not
        independent, and older ones answer something else. `answers` and `regions` speak of those. `gold` is the one in
        force.
    """
    revisions = newest_of_case(case)
    blind = {pk: row for pk, row in blind_of_case(case).items() if row.input_digest == case.input_digest}
    counted = [number for number, row in enumerate(revisions) if row.reading_id in blind]
    said = [blind[revisions[number].reading_id] for number in counted]
    contents = [row.content for row in said]
    frame = Frame.of(case, case.benchmark.protocol.config)
    gold = Gold.objects.in_force().filter(case=case).prefetch_related("rois").first()
    return {
        "case": str(case.pk),
        "readings": _readings(revisions, blind, case, is_named=is_named),
        "counted": counted,
        "answers": answer_consensus(case, said),
        "regions": region_consensus(contents, frame),
        "uncounted_rois": uncounted_rois(contents),
        "steps": step_rows([row.content for row in revisions], counted=counted),
        "gold": None if gold is None else {"revision": gold.revision, **(gold_record(gold) or {})},
    }


def _readings(
    revisions: Sequence[ReadingRevision], blind: Mapping[uuid.UUID, ReadingRevision], case: Case, *, is_named: bool
) -> list[dict[str, Any]]:
    numbers = numbered(row.reading.reader_id for row in revisions)
    return [
        {
            "reading": str(row.reading_id),
            "reader": f"R{numbers[row.reading.reader_id]}",
            "name": row.reading.reader.display_name if is_named else None,
            "number": numbers[row.reading.reader_id],
            "arm": row.reading.arm,
            "revision": row.revision,
            "counted_revision": blind[row.reading_id].revision if row.reading_id in blind else None,
            "submitted_at": row.submitted_at,
            "is_of_this_input": row.input_digest == case.input_digest,
            "content": row.content,
        }
        for row in revisions
    ]


def answer_consensus(case: Case, revisions: Sequence[ReadingRevision]) -> dict[str, Any]:
    """Votes for each option, the majority, and Dawid and Skene's posterior with its entropy.

    Returns
    -------
    dict
        `votes` and `shares` by option; `majority`, None for a tie or no vote; `vote_entropy_bits`; and `dawid_skene`:
        `posterior` by option, `best`, `entropy_bits` (0 is certain, log2 of the number of options knows nothing) and
        how many ratings it was estimated from; None without options or votes, or where the benchmark has answers to
        fewer than LEAST_CASES cases.
    """
    options = tuple(case.options or ())
    said = [
        (str(row.reading.reader_id), choice)
        for row in revisions
        if (choice := (row.content["answer"] or {}).get("choice")) in options
    ]
    votes = Counter(choice for _, choice in said)
    leading = votes.most_common(2)
    is_tie = len(leading) > 1 and leading[0][1] == leading[1][1]
    shares = {option: votes[option] / len(said) for option in options} if said else {}
    return {
        "n": len(said),
        "votes": {option: votes[option] for option in options},
        "shares": shares,
        "majority": leading[0][0] if leading and not is_tie else None,
        "is_tie": is_tie,
        "vote_entropy_bits": float(posterior_entropy(list(shares.values()))) if said else None,
        "dawid_skene": _posterior(case, options, said) if said else None,
    }


def _posterior(case: Case, options: Sequence[str], said: Sequence[tuple[str, str]]) -> dict[str, Any] | None:
    fit = fit_of(case.benchmark)
    if fit.cases < LEAST_CASES:
        return None
    names = [option for option in options if option in fit.categories]
    at = [fit.categories.index(option) for option in names]
    odds = np.log(np.maximum(np.array(fit.prior)[at], 1e-12))
    for reader, choice in said:
        if reader in fit.confusion and choice in fit.categories:
            odds += np.log(np.maximum(np.array(fit.confusion[reader])[at, fit.categories.index(choice)], 1e-12))
    chances = np.exp(odds - odds.max())
    chances /= chances.sum()
    posterior = dict.fromkeys(options, 0.0) | dict(zip(names, map(float, chances), strict=True))
    return {
        "posterior": posterior,
        "best": max(posterior, key=lambda option: posterior[option]),
        "entropy_bits": float(posterior_entropy(list(posterior.values()))),
        "most_entropy_bits": float(np.log2(len(options))),
        "ratings": fit.ratings,
        "cases": fit.cases,
    }


def fit_of(benchmark: Benchmark) -> Fit:
    """Dawid and Skene's estimate over the choices of a benchmark's readings; kept until a reading changes.

    An option's letter is the category, whatever it stands for in a case: what is learnt of a reader is how often they
    are right, and which letters they mix up where letters mean the same throughout.
    """
    ratings = _ratings(benchmark)
    state = ratings.aggregate(rows=Count("pk"), newest=Max("submitted_at"), revisions=Max("revision"))
    key = "dawid-skene:" + digest([str(benchmark.pk), *map(str, state.values())])
    kept: Fit | None = cache.get(key)
    if kept is None:
        kept = _fitted(ratings)
        cache.set(key, kept, FIT_KEPT_S)
    return kept


def _ratings(benchmark: Benchmark) -> QuerySet[ReadingRevision]:
    readings = Reading.objects.filter(case__benchmark=benchmark, arm=Arm.UNAIDED, revision__gt=0)
    # The newest that was written blind: who revised after a look at the gold would pass for the best of readers.
    # Only of the question as it is now: of another the truth is another.
    blind = ReadingRevision.objects.filter(is_after_looking=False)
    newer = blind.filter(reading=OuterRef("reading"), revision__gt=OuterRef("revision"))
    return blind.filter(
        ~Exists(newer),
        reading__in=readings.exclude(state__in=_OUT),
        input_digest=F("reading__case__input_digest"),
        content__answer__choice__isnull=False,
    )


def _fitted(ratings: QuerySet[ReadingRevision]) -> Fit:
    newest = ratings.annotate(choice=KT("content__answer__choice")).order_by("-submitted_at", "-pk")
    rows = list(newest.values_list("reading__reader_id", "reading__case_id", "choice")[:MOST_RATINGS])
    readers = {name: place for place, name in enumerate(sorted({str(row[0]) for row in rows}))}
    cases = {name: place for place, name in enumerate(sorted({str(row[1]) for row in rows}))}
    categories = tuple(sorted({row[2] for row in rows}))
    table = np.full((len(readers), len(cases)), np.nan)
    for reader, case, choice in rows:
        table[readers[str(reader)], cases[str(case)]] = categories.index(choice)
    fit = dawid_skene_fit(table, categories=len(categories))
    return Fit(
        categories=categories,
        prior=tuple(map(float, fit.prior)),
        confusion={name: fit.confusion[place].tolist() for name, place in readers.items()},
        ratings=len(rows),
        cases=len(cases),
    )


def consensus_content(told: dict[str, Any]) -> dict[str, Any]:
    """What the computed consensus would make of a case as gold: the likeliest answer, and the majority's regions.

    Steps are words, and no rule makes one rationale of several: there are none.
    """
    answers = told["answers"]
    best = answers["majority"] or (answers["dawid_skene"] or {}).get("best")
    rois = [
        # The same consensus has the same ids, so that a request sent again says the same.
        {"id": str(uuid.uuid5(_NAMESPACE, digest([told["case"], place, row["roi"]]))), **place, **row["roi"]}
        for row in told["regions"]
        if row["roi"] is not None
        for place in [{name: row[name] for name in ("image", "frame", "label")}]
    ]
    return {"answer": {"choice": best} if best else None, "rois": rois, "steps": []}
