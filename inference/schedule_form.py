"""The form of a schedule: an interval in the largest unit that fits, or cron, and the rest as `Wanted` has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from inference.metrics.catalogue import METRICS
from inference.scheduling import LONGEST_NAME, ScheduleRefused, Wanted, check
from inference.timing import LONGEST_CRON, zone_names

if TYPE_CHECKING:
    from collections.abc import Collection

    from curation.models import Benchmark

UNITS = ((86_400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))
# Where a fault of the operation stands in the form.
PLACES = {"every_s": "every", "models": "chosen"}
# Times its unit, Python still writes it in words; that it is too long a time the operation says.
FARTHEST = 10**40
NO_NUMBER = {"invalid": "A whole number is wanted here.", "max_value": "A number of at most 40 digits is read here."}


class ScheduleForm(forms.Form):
    """What a person types; `wanted` is what it comes to once `is_valid`."""

    name = forms.CharField(label="Name", max_length=LONGEST_NAME, required=False)
    rhythm = forms.ChoiceField(
        label="When", choices=(("every", "Every"), ("cron", "At set times (cron)")), initial="every"
    )
    every = forms.IntegerField(label="Every", required=False, max_value=FARTHEST, error_messages=NO_NUMBER)
    unit = forms.TypedChoiceField(label="Unit", choices=UNITS, coerce=int, required=False)
    cron = forms.CharField(label="Cron", max_length=LONGEST_CRON, required=False)
    timezone = forms.CharField(label="Time zone", max_length=64)
    chosen = forms.MultipleChoiceField(label="Models", required=False)
    metrics = forms.MultipleChoiceField(
        label="Metrics", required=False, choices=[(name, metric.title) for name, metric in METRICS.items()]
    )
    is_everything = forms.BooleanField(label="Everything again", required=False)
    budget_s = forms.IntegerField(
        label="Budget in seconds", required=False, max_value=FARTHEST, error_messages=NO_NUMBER
    )
    is_enabled = forms.BooleanField(label="Enabled", required=False)

    def __init__(self, data: Any = None, *, benchmark: Benchmark, before: Wanted | None = None) -> None:
        self._benchmark = benchmark
        self._kept: Collection[str] = before.models if before else ()
        super().__init__(data, initial=initial_of(before or Wanted(every_s=86_400)))
        enrolled = benchmark.enrolments.order_by("model__name").values_list("model__name", flat=True)
        names = list(dict.fromkeys([*enrolled, *self._kept]))
        self.model_names = names
        self.zones = zone_names()
        chosen = self.fields["chosen"]
        assert isinstance(chosen, forms.MultipleChoiceField)
        chosen.choices = [(name, name) for name in names]

    def clean(self) -> dict[str, Any]:
        """Let the operation's own check find what the fields cannot, and name its faults at the fields."""
        given = super().clean() or {}
        # What was typed beside the way that is not taken does not matter.
        for name in {"every", "cron"} - {given.get("rhythm")}:
            self.errors.pop(name, None)
        try:
            check(self._benchmark, self.wanted, kept=self._kept)
        except ScheduleRefused as refused:
            for error in refused.errors:
                name = error.path.partition("[")[0]
                if (field := PLACES.get(name, name)) not in self.errors:
                    self.add_error(field, self._said(name, error.detail))
        return given

    def _said(self, name: str, detail: str) -> str:
        if name == "every_s" and self.cleaned_data.get("every") is None:
            return "Say how often."
        return f"{detail[0].upper()}{detail[1:]}."

    @property
    def wanted(self) -> Wanted:
        """The schedule as it would be; of a field at fault its default."""
        given = self.cleaned_data
        is_cron = given.get("rhythm") == "cron"
        every = given.get("every")
        return Wanted(
            name=given.get("name", ""),
            models=tuple(sorted(given.get("chosen", ()))),
            metrics=tuple(name for name in METRICS if name in given.get("metrics", ())),
            every_s=None if is_cron or every is None else every * (given.get("unit") or 3600),
            # A blank cron is no cron: the operation would ask for an interval instead.
            cron=(given.get("cron") or "-") if is_cron else "",
            timezone=given.get("timezone", "UTC"),
            is_stale_only=not given.get("is_everything"),
            budget_s=given.get("budget_s"),
            is_enabled=bool(given.get("is_enabled")),
        )


def initial_of(wanted: Wanted) -> dict[str, Any]:
    """What the fields show of a schedule."""
    every_s = wanted.every_s
    unit = next(size for size, _ in UNITS if every_s is None or every_s % size == 0)
    return {
        "name": wanted.name,
        "rhythm": "cron" if every_s is None else "every",
        "every": None if every_s is None else every_s // unit,
        "unit": unit,
        "cron": wanted.cron,
        "timezone": wanted.timezone,
        "chosen": list(wanted.models),
        "metrics": list(wanted.metrics),
        "is_everything": not wanted.is_stale_only,
        "budget_s": wanted.budget_s,
        "is_enabled": wanted.is_enabled,
    }
