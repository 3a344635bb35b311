"""Template tags of the design system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from curation.models import Role
from curation.permissions import CURATE, REVIEW, SEE_MODELS, SEE_OTHERS, VIEW

if TYPE_CHECKING:
    from collections.abc import Iterable

    from curation.models import Benchmark

register = template.Library()
_NO_IMAGE = "0" * 64

# Paths on a 16 by 16 grid, stroked with the text's colour.
ICONS = {
    "brand": (
        '<circle cx="8" cy="8" r="6.25"/><path d="M8 1.75v3M8 11.25v3M1.75 8h3M11.25 8h3"/>'
        '<circle cx="8" cy="8" r="1.1" fill="currentColor" stroke="none"/>'
    ),
    "inbox": '<path d="M2.5 9l2-5.5h7l2 5.5v3.5h-11zM2.5 9H6l.8 1.6h2.4L10 9h3.5"/>',
    "chart": '<path d="M2.5 13.5h11M4.5 11V8M8 11V3.5M11.5 11V6"/>',
    "columns": (
        '<rect x="2.3" y="3" width="4.9" height="10" rx="1"/><rect x="8.8" y="3" width="4.9" height="10" rx="1"/>'
    ),
    "archive": '<path d="M2.5 5.5h11v7.3h-11zM2 3h12v2.5H2zM6.5 8h3"/>',
    "list": '<path d="M5.5 4.5h8M5.5 8h8M5.5 11.5h8"/><path d="M2.5 4.5h.1M2.5 8h.1M2.5 11.5h.1"/>',
    "people": (
        '<circle cx="6" cy="5.3" r="2.4"/><path d="M1.8 13.2a4.2 4.2 0 0 1 8.4 0"/>'
        '<path d="M10.2 3.1a2.4 2.4 0 0 1 0 4.4M11.4 9.3a4.2 4.2 0 0 1 2.9 3.9"/>'
    ),
    "moon": '<path d="M12.8 9.7A5.3 5.3 0 0 1 6.3 3.2a5.3 5.3 0 1 0 6.5 6.5z"/>',
    "right": '<path d="M6.5 4.5L10 8l-3.5 3.5"/>',
    "left": '<path d="M9.5 4.5L6 8l3.5 3.5"/>',
    "check": '<path d="M3.5 8.3l3 3 6-6.6"/>',
    "warn": (
        '<path d="M8 2.5l6 10.5H2zM8 6.7v2.8"/><circle cx="8" cy="11.2" r=".6" fill="currentColor" stroke="none"/>'
    ),
    "info": (
        '<circle cx="8" cy="8" r="5.8"/><path d="M8 7.3v3.5"/>'
        '<circle cx="8" cy="5.3" r=".6" fill="currentColor" stroke="none"/>'
    ),
    "lock": '<rect x="3.5" y="7" width="9" height="6.3" rx="1.2"/><path d="M5.5 7V5.2a2.5 2.5 0 0 1 5 0V7"/>',
    "clock": '<circle cx="8" cy="8" r="5.8"/><path d="M8 4.8V8l2.2 1.5"/>',
    "cross": '<path d="M4.2 4.2l7.6 7.6M11.8 4.2l-7.6 7.6"/>',
    "eye": ('<path d="M1.8 8S4 3.8 8 3.8 14.2 8 14.2 8 12 12.2 8 12.2 1.8 8 1.8 8z"/><circle cx="8" cy="8" r="1.8"/>'),
    "cube": '<path d="M8 2l5.3 3v6L8 14l-5.3-3V5zM2.7 5L8 8l5.3-3M8 8v6"/>',
    "download": '<path d="M8 2.5V10M5 7.3l3 3 3-3M2.8 13.3h10.4"/>',
    "copy": '<rect x="5.5" y="5.5" width="8" height="8" rx="1.3"/><path d="M10.5 5.5v-3h-8v8h3"/>',
    "plus": '<path d="M8 3.5v9M3.5 8h9"/>',
    "file": '<path d="M4 2.5h5l3.5 3.5v7.5H4zM9 2.5V6h3.5"/>',
}


@dataclass(frozen=True)
class Section:
    """A page of one benchmark: its name, its address by slug, its title, and who may open it."""

    name: str
    address: str
    title: str
    permission: str


# Pages of one benchmark in groups, each a tab with its icon; a group stands for its first page that one may open.
GROUPS = (
    (
        "Overview",
        "chart",
        (
            Section("overview", "benchmark-page", "Summary", VIEW),
            Section("progress", "progress-page", "Progress", CURATE),
            Section("wrong-reason", "benchmark-wrong-reason-page", "Wrong reason", SEE_MODELS),
        ),
    ),
    ("Cases", "columns", (Section("cases", "benchmark-cases-page", "Cases", VIEW),)),
    (
        "Reading",
        "eye",
        (
            Section("queue", "queue-page", "Queue", CURATE),
            Section("readers", "readers-page", "Readers", CURATE),
        ),
    ),
    (
        "Agreement",
        "people",
        (
            Section("agreement", "agreement-page", "Numbers", SEE_OTHERS),
            Section("pairs", "agreement-pairs-page", "Pairs", SEE_OTHERS),
            Section("review", "review-queue", "Review", REVIEW),
        ),
    ),
    (
        "Models",
        "cube",
        (
            Section("models", "enrolments-page", "Enrolled", SEE_MODELS),
            Section("runs", "runs-page", "Runs", SEE_MODELS),
            Section("schedules", "schedules-page", "Schedules", SEE_MODELS),
        ),
    ),
    ("Snapshots", "archive", (Section("snapshots", "snapshots-page", "Snapshots", SEE_MODELS),)),
)
# Pages that whoever reads there may not open, whatever else they are: they tell of single readings, or of models.
NOT_FOR_READERS = frozenset({"progress", "readers", "wrong-reason"})


@dataclass(frozen=True)
class Page:
    """A link to a page; `count` stands beside its title if there is one."""

    title: str
    url: str
    is_open: bool
    count: int | None


@dataclass(frozen=True)
class Group:
    """A tab, and the pages behind it."""

    title: str
    symbol: str
    pages: list[Page]

    @property
    def is_open(self) -> bool:
        """Whether the page that is open is one of them."""
        return any(page.is_open for page in self.pages)


@register.inclusion_tag("curation/tabs.html", takes_context=True)
def benchmark_tabs(context: dict[str, Any], benchmark: Benchmark, current: str) -> dict[str, Any]:
    """Links to the pages of a benchmark that the user may open, in groups; `current` is the open one's name in GROUPS.

    A page may give counts to stand beside a title: `tab_counts`, by name.
    """
    user = context["request"].user
    counts = context.get("tab_counts", {})
    is_reader = Role.READER.value in user.roles_in(benchmark.pk)
    groups = [
        Group(
            title,
            symbol,
            [
                Page(one.title, reverse(one.address, args=[benchmark.slug]), one.name == current, counts.get(one.name))
                for one in sections
                if user.has_perm(one.permission, benchmark) and not (is_reader and one.name in NOT_FOR_READERS)
            ],
        )
        for title, symbol, sections in GROUPS
    ]
    return {"benchmark": benchmark, "groups": [group for group in groups if group.pages]}


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """An icon by name; `size` is "sm", "lg" or nothing. Unknown names raise KeyError."""
    shape = mark_safe(ICONS[name])  # noqa: S308 our own constant
    return format_html('<svg class="ic {}" viewBox="0 0 16 16" aria-hidden="true">{}</svg>', size, shape)


@register.simple_tag
def thumbnails(digests: Iterable[str]) -> SafeString:
    """Small pictures of images by their sha256, side by side; a browser fetches those that come into view."""
    # A list shows hundreds: the address is built once, which costs ten times what a picture's own part does.
    before, after = reverse("image-thumbnail", args=[_NO_IMAGE]).split(_NO_IMAGE)
    pictures = format_html_join(
        "", '<img src="{}{}{}" alt="" loading="lazy">', ((before, digest, after) for digest in digests)
    )
    return format_html('<span class="mini">{}</span>', pictures)


@register.filter
def short(digest: str) -> str:
    """A digest as `c41f…9a07`."""
    return f"{digest[:4]}…{digest[-4:]}" if len(digest) > 9 else digest


@register.filter
def thousands(number: int | None) -> str:
    """1026 as `1,026`; None as a dash."""
    return "–" if number is None else f"{number:,}"


@register.filter
def two_decimals(number: float | None) -> str:
    """A value as the design system writes it: two decimals, three below 0.1, a dash where there is none."""
    if number is None:
        return "–"
    text = f"{number:.3f}" if 0 < abs(number) < 0.1 else f"{number:.2f}"
    # What rounds to nothing has no sign.
    return text.replace("-", "−" if float(text) else "")
