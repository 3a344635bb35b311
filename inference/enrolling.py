"""Registering models, and saying which benchmarks they read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from curation import audit
from curation.models import Benchmark
from inference.metrics.catalogue import METRICS
from inference.models import Enrolment, ModelVersion
from inference.predicting import OWN_SETTINGS, adapter_roots, change_prompt, request_all
from inference.registry import load_adapter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from curation.models import User


class NameTaken(Exception):
    """A model of this name is registered with other content."""

    def __init__(self, name: str, differing: Iterable[str]) -> None:
        self.name = name
        super().__init__(f"model {name!r} is registered with another {', '.join(differing)}; choose another name")


class UnknownMetric(ValueError):
    """A name that the catalogue does not have."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown metric {name!r}; known are {', '.join(METRICS)}")


class UnusableModel(ValueError):
    """A family, source or setting with which no model can be loaded."""


def register_model(
    *,
    name: str,
    family: str,
    source: str = "",
    revision: str = "",
    settings: Mapping[str, str] | None = None,
    actor: User | None = None,
) -> tuple[ModelVersion, bool]:
    """Load a model once, and keep what its card says under a name.

    Parameters
    ----------
    name
        Unique, and never moved to another content.
    family, source, revision, settings
        As `inference.registry.load_adapter` takes them; besides, the setting `headline_layer` (from 0) names the
        layer whose numbers stand for the model.

    Returns
    -------
    The model, and whether it is new; the same content under the same name changes nothing, except that a model which
    the product asks in other words than before is keyed by the new ones, which makes what it said stale.

    Raises
    ------
    UnusableModel
        If it cannot be loaded, with the cause.
    NameTaken
        If the name stands for other content.
    """
    given = dict(settings or {})
    content = _content(name, family, source, revision, given)
    with transaction.atomic():
        model, is_new = ModelVersion.objects.get_or_create(name=name, defaults=content)
        if is_new:
            audit.record(
                "model.registered", actor=actor, object_type="model", object_id=str(model.pk), after={"name": name}
            )
    # How models are asked belongs to the product, not to the model: after an upgrade the name stands for the same one.
    differing = [
        field for field, value in content.items() if getattr(model, field) != value and field != "prompt_digest"
    ]
    if differing:
        raise NameTaken(name, differing)
    change_prompt(model=model, prompt_digest=content["prompt_digest"], actor=actor)
    return model, is_new


def _content(name: str, family: str, source: str, revision: str, settings: dict[str, str]) -> dict[str, Any]:
    if not name.strip() or len(name) > 100:
        raise UnusableModel(f"a model's name must have 1 to 100 characters, not {name!r:.120}")
    own = {key: value for key, value in settings.items() if key not in OWN_SETTINGS}
    try:
        card = load_adapter(family, source, revision, own, allowed_roots=adapter_roots()).describe()
    except (ValueError, OSError) as error:
        raise UnusableModel(f"model {name!r}: {error}") from error
    _check_headline_layer(settings, card.n_layers)
    return {
        "family": card.family,
        "source": source,
        "revision": revision,
        "settings": settings,
        "is_trained": card.is_trained,
        "note": card.note,
        "layer_count": card.n_layers,
        "weights_digest": card.weights_digest,
        "prompt_digest": card.prompt_digest,
        "decoding_digest": card.decoding_digest,
    }


def _check_headline_layer(settings: Mapping[str, str], layers: int) -> None:
    given = settings.get("headline_layer")
    if given is not None and not (given.isdecimal() and int(given) < layers):
        raise UnusableModel(f"setting headline_layer={given} must be a whole number from 0 to {layers - 1}")


@transaction.atomic
def enrol(
    *,
    benchmark: Benchmark,
    model: ModelVersion,
    is_live: bool = False,
    metrics: Iterable[str] = (),
    actor: User | None = None,
) -> tuple[Enrolment, bool]:
    """Let a model read a benchmark; a second call changes `is_live` and `metrics` to what it says.

    Parameters
    ----------
    is_live
        Every case now there and every later one is predicted by itself.
    metrics
        Names of the catalogue; none means every metric.

    Returns
    -------
    The enrolment, and whether it is new.

    Raises
    ------
    UnknownMetric
        Naming the first metric that the catalogue does not have.
    """
    chosen = list(dict.fromkeys(metrics))
    for name in chosen:
        if name not in METRICS:
            raise UnknownMetric(name)
    # Locked, so that of two calls at the same time the second compares with what the first wrote.
    Benchmark.objects.select_for_update(no_key=True).get(pk=benchmark.pk)
    before = Enrolment.objects.filter(benchmark=benchmark, model=model).values("is_live", "metrics").first()
    enrolment, is_new = Enrolment.objects.update_or_create(
        benchmark=benchmark, model=model, defaults={"is_live": is_live, "metrics": chosen}
    )
    after = {"is_live": is_live, "metrics": chosen}
    if before != after:
        audit.record(
            "model.enrolled",
            actor=actor,
            benchmark_id=benchmark.pk,
            object_type="enrolment",
            object_id=str(enrolment.pk),
            before=before,
            after=after,
        )
    if is_live:
        request_all(model=model, benchmark=benchmark)
    return enrolment, is_new
