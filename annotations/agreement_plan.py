"""About how many more readings until agreement is known as closely as wanted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from annotations.agreement_read import EVERYTHING, MISSING, OF_READERS, overview
from annotations.agreement_rows import Narrowed, Number, states_of
from annotations.metrics.planning import Plan, plan_from_half_width

if TYPE_CHECKING:
    from curation.models import Benchmark

LEAST_READERS = 2


def plan(benchmark: Benchmark, metric: str, half_width: float, narrowed: Narrowed = EVERYTHING) -> Plan:
    """How many more readings until a number of `overview` stands at plus or minus `half_width`.

    Parameters
    ----------
    metric
        A name that `overview` has: "percent_agreement", "alpha_nominal", "iou", "step_f1" …
    half_width
        In the number's unit, above 0.

    Raises
    ------
    KeyError
        If there is no such number here.
    ValueError
        If the half-width is not above 0.
    """
    return plan_of(numbers(benchmark, narrowed)[metric], benchmark, half_width, narrowed)


def numbers(benchmark: Benchmark, narrowed: Narrowed) -> dict[str, Number]:
    """Every number of `overview` by name."""
    found = overview(benchmark, narrowed)
    told = {**found.answers, **found.regions, **found.steps, **found.time}
    return {**dict.fromkeys(OF_READERS[1:], MISSING), **told}


def plan_of(number: Number, benchmark: Benchmark, half_width: float, narrowed: Narrowed = EVERYTHING) -> Plan:
    """The same of a number at hand; two queries. Whoever reads here is told of the own cases alone."""
    low, high = number.interval or (math.nan, math.nan)
    states = states_of(benchmark, narrowed)
    counted = states.filter(readers__gte=LEAST_READERS)
    return plan_from_half_width(
        (high - low) / 2,
        number.n,
        clusters=min(counted.values("cluster").distinct().count(), number.n) or None,
        target=half_width,
        readings_per_case=LEAST_READERS,
        cases_lacking_one=states.filter(readers=LEAST_READERS - 1).count(),
    )
