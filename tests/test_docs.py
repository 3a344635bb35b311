"""README holds every setting, command, metric, format and make target, and names no file that does not exist."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands

from config.environment import PROJECT, VARIABLES
from inference.metrics.catalogue import METRICS

APPS = ("config", "curation", "annotations", "inference")
# config/environment.py is where variables are read; the bootstrap runs before anything is installed, quickstart and
# the decoder hand an environment on to their child processes, and temporary servers tell theirs where they are.
MAY_READ_ENVIRONMENT = {
    "config/environment.py",
    "config/bootstrap.py",
    "config/quickstart.py",
    "config/temporary.py",
    "curation/intake.py",
}
# What README may name though no checkout holds it: made by a build, a run or an export.
MADE = re.compile(r"^(var|frontend/dist|\.venv|DIR|PATH|/)|(manifest|snapshot)\.json$|\*|<|\{")
FORMAT_MODULES = {"curation.importing": "IMPORT_FORMATS", "curation.exporting": "EXPORT_FORMATS"}


@pytest.fixture(scope="module")
def readme() -> str:
    return (PROJECT / "README.md").read_text(encoding="utf-8")


def code_words(readme: str) -> set[str]:
    """Every word inside backticks or code blocks."""
    blocks = re.findall(r"```.*?```|`[^`\n]+`", readme, flags=re.DOTALL)
    return set(re.findall(r"[\w./\-]+", " ".join(blocks)))


def test_every_setting_has_a_row_with_its_default(readme: str) -> None:
    rows = {
        match["name"]: match["default"].strip().strip("`")
        for match in re.finditer(r"^\|\s*`(?P<name>[A-Z_]+)`\s*\|(?P<default>[^|]*)\|", readme, flags=re.MULTILINE)
    }
    assert rows == {name: variable.default for name, variable in VARIABLES.items()}


def environment_readers() -> Iterator[str]:
    for app in APPS:
        for path in sorted((PROJECT / app).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
                if name == "getenv" or (name == "environ" and not _only_sets_default(path)):
                    yield str(path.relative_to(PROJECT))


def _only_sets_default(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return text.count("os.environ") == text.count("os.environ.setdefault(")


def test_settings_are_read_in_one_place_only() -> None:
    assert set(environment_readers()) <= MAY_READ_ENVIRONMENT


def test_every_command_is_described(readme: str) -> None:
    ours = {name for name, app in get_commands().items() if app in APPS}
    assert ours - code_words(readme) == set()


def test_every_metric_is_described(readme: str) -> None:
    assert {str(name) for name in METRICS} - code_words(readme) == set()


@pytest.mark.parametrize("module", FORMAT_MODULES)
def test_every_format_is_described(readme: str, module: str) -> None:
    assert importlib.util.find_spec(module) is not None
    registry = getattr(importlib.import_module(module), FORMAT_MODULES[module])
    assert {str(name) for name in registry} - code_words(readme) == set()


def test_every_make_target_is_described(readme: str) -> None:
    targets = re.findall(r"^([a-z]+):.*##", (PROJECT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert targets
    missing = [target for target in targets if not re.search(rf"make [a-z ]*\b{target}\b", readme)]
    assert not missing, f"README names no make target {missing}"


def test_every_file_that_is_named_exists(readme: str) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", readme)
    named = [
        word
        for word in code_words(readme)
        if re.fullmatch(r"(\w[\w\-]*/)+[\w\-.]*|[\w\-]+\.(py|toml|md|lock|json|ts)", word)
    ]
    missing = sorted(
        {
            path
            for path in links + named
            if not MADE.search(path) and not (PROJECT / path).exists() and not _is_url(path)
        }
    )
    assert not missing, f"README names files that do not exist: {missing}"


def _is_url(path: str) -> bool:
    """A path of the site rather than of the checkout, as in `/api/v1/` or `cases/{id}/scores/`."""
    return path.startswith(("api/", "admin/", "benchmarks/", "cases/", "images/", "readings/"))
