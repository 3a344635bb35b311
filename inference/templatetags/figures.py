"""How pages write a model's numbers: value, interval, share; a word or a dash where there is none, never 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template

from curation.templatetags.plotting import interval
from curation.templatetags.sightline import two_decimals
from inference import priorities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annotations.models import CasePriority

register = template.Library()
register.filter("interval", interval)


@register.filter
def percent(share: float | None) -> str:
    """A share as `20 %`; None as a dash."""
    return "–" if share is None else f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


@register.filter
def percents(bounds: Sequence[float] | None) -> str:
    """Bounds of a share as `[14, 28]`, or nothing."""
    return "" if bounds is None else f"[{100 * bounds[0]:.0f}, {100 * bounds[1]:.0f}]"


@register.filter
def times(ratio: float | None) -> str:
    """A ratio as `1.18×`; None as a dash."""
    return "–" if ratio is None else f"{two_decimals(ratio)}×"


@register.filter
def lookup(words: dict[str, str], name: str) -> str:
    """What a word stands for; the word itself where nothing does."""
    return words.get(name, name)


@register.filter
def family(row: CasePriority | str | None, name: str) -> float | None:
    """One family of a case's disagreement: readers, against or models."""
    # A case without a score has no row, which a template hands on as an empty text.
    return priorities.family(row if row and not isinstance(row, str) else None, name)
