"""From a family's name to a loaded adapter. Families are dotted paths, so that the web process loads no torch."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import cast

from inference.adapters.base import Adapter

FAMILIES: dict[str, str] = {
    "planted": "inference.adapters.planted",
    "llava": "inference.adapters.llava",
    "demo": "inference.adapters.demo.adapter",
}
"""Module of each family; it has `load(source, revision, settings) -> Adapter`."""

FAMILIES_WITH_WEIGHTS = frozenset({"llava"})


def load_adapter(
    family: str,
    source: str,
    revision: str,
    settings: Mapping[str, str],
    *,
    allowed_roots: Iterable[Path] = (),
) -> Adapter:
    """The adapter of a registered model, loaded once a process for each set of arguments.

    Parameters
    ----------
    family
        A key of `FAMILIES`.
    source, revision
        The folder of the weights, for a family that has any.
    settings
        The family's settings, as `register_model --set` gave them.
    allowed_roots
        Folders below which weights may lie; none allows none.

    Raises
    ------
    ValueError
        If the family is unknown, the source is refused (`check_source`) or a setting is wrong.

    Examples
    --------
    >>> load_adapter("planted", "", "", {}).describe().is_trained
    False
    """
    if family not in FAMILIES:
        raise ValueError(f"unknown model family {family!r}; known are {', '.join(sorted(FAMILIES))}")
    if family in FAMILIES_WITH_WEIGHTS:
        source = str(check_source(source, allowed_roots))
    return _loaded(family, source, revision, tuple(sorted(settings.items())))


# A few at most: each of them may hold a model in memory.
@lru_cache(maxsize=4)
def _loaded(family: str, source: str, revision: str, settings: tuple[tuple[str, str], ...]) -> Adapter:
    module = importlib.import_module(FAMILIES[family])
    return cast("Adapter", module.load(source, revision, dict(settings)))


def check_source(source: str, allowed_roots: Iterable[Path]) -> Path:
    """The real folder of a model's weights, or a ValueError that says why it may not be read.

    Links are followed before the folder is compared, so a link out of an allowed root leads nowhere.

    Parameters
    ----------
    source
        A path; a relative one is looked for below each root in turn.
    allowed_roots
        Folders below which weights may lie.

    Raises
    ------
    ValueError
        If there is no such folder, or it lies outside every root.
    """
    roots = [Path(root).resolve() for root in allowed_roots]
    if not source or "\0" in source:
        raise ValueError(f"a model needs the folder of its weights, not {source!r}")
    for root in roots:
        folder = (root / source).resolve()  # an absolute source replaces the root
        if folder.is_dir() and folder.is_relative_to(root):
            return folder
    if any((root / source).resolve().is_dir() for root in roots):
        raise ValueError(f"{source} lies outside the folders that models are read from: {_names(roots)}")
    raise ValueError(f"there is no folder {source} below {_names(roots)}; weights are read from local folders only")


def _names(roots: list[Path]) -> str:
    return ", ".join(str(root) for root in roots) or "any allowed folder"
