"""The tag that puts a plot on a page: its figure, the table behind it, and the address of its CSV."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import template
from django.utils.formats import date_format

from curation.templatetags.sightline import thousands, two_decimals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from curation.plotting import Plot

register = template.Library()


@register.inclusion_tag("curation/plot.html", takes_context=True)
def plot(context: dict[str, Any], drawn: Plot) -> dict[str, Any]:
    """A figure: the script draws it, and without one its table is there."""
    query = context["request"].GET.copy()
    query["format"], query["plot"] = "csv", drawn.name
    return {"plot": drawn, "csv_query": query.urlencode()}


@register.filter
def cell(value: Any) -> str:
    """A value of a table: counts with thousands, other numbers with two decimals, moments short, a dash for none."""
    if isinstance(value, float):
        return two_decimals(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return thousands(value).replace("-", "\u2212")
    if isinstance(value, dt.datetime):
        return date_format(value, "j M Y, H:i")
    if isinstance(value, dt.date):
        return date_format(value, "j M Y")
    return "\u2013" if value is None or value == "" else str(value)


@register.filter
def interval(bounds: Sequence[float] | None) -> str:
    """`[0.65, 0.77]`, or nothing."""
    return "" if bounds is None else f"[{two_decimals(bounds[0])}, {two_decimals(bounds[1])}]"


@register.filter
def query(arguments: Mapping[str, str]) -> str:
    """Arguments as an address has them."""
    return urlencode(arguments)
