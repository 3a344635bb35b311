"""What must hold of the project as a whole."""

import re
import subprocess
import sys
import tomllib

import pytest
from django.core.management import call_command

from config.environment import PROJECT


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_locks_pin_exactly_and_name_no_place() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        for line in (PROJECT / name).read_text(encoding="utf-8").splitlines():
            assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line), f"{name}: {line}"


def test_what_tests_install_agrees_with_what_a_run_installs() -> None:
    run, tests = (
        set((PROJECT / name).read_text(encoding="utf-8").splitlines())
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert run <= tests


def test_every_wanted_package_is_locked() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {re.split(r"[\[<>=!~ ]", line)[0].lower().replace("_", "-") for line in wanted}
    lines = (PROJECT / "requirements-dev.lock").read_text(encoding="utf-8").splitlines()
    assert names <= {line.split("==")[0] for line in lines}


def test_the_web_process_never_loads_torch() -> None:
    script = (
        "import sys, config.asgi, django.urls; django.urls.get_resolver().url_patterns;"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
