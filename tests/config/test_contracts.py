"""The order of modules inside an app is kept or broken as the contract says."""

import grimp
import pytest

from config.contracts import InsideAppContract

LEVELS = ["apps|urls", "views*|tasks", "*", "models", "geometry*|metrics"]


def is_kept(*imports: tuple[str, str]) -> bool:
    graph = grimp.ImportGraph()
    graph.add_module("curation")
    for importer, imported in imports:
        for module in (importer, imported):
            graph.add_module(module)
        graph.add_import(importer=importer, imported=imported)
    options = {"containers": ["curation"], "levels": LEVELS, "ignored": ["migrations"]}
    contract = InsideAppContract("inside", {"root_packages": ["curation"]}, options)
    return bool(contract.check(graph, verbose=False).kept)


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("curation.urls", "curation.views"),
        ("curation.views_worklist", "curation.anything_new"),
        ("curation.anything_new", "curation.models"),
        ("curation.importing", "curation.exporting"),
        ("curation.models.cases", "curation.geometry"),
        ("curation.models.cases", "curation.models.users"),
        ("curation.migrations.first", "curation.urls"),
    ],
)
def test_downward_and_level_imports_are_kept(importer: str, imported: str) -> None:
    assert is_kept((importer, imported))


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("curation.views", "curation.urls"),
        ("curation.anything_new", "curation.tasks"),
        ("curation.models.cases", "curation.anything_new"),
        ("curation.geometry_checks", "curation.models"),
        ("curation.metrics.overlap", "curation.importing"),
    ],
)
def test_upward_imports_break_it(importer: str, imported: str) -> None:
    assert not is_kept((importer, imported))
