"""Settings are read with their types, and a bad one is refused with its name and value."""

import json
import secrets
import stat
from pathlib import Path

import pytest

from config.environment import (
    PROJECT,
    VARIABLES,
    BadSetting,
    Environment,
    Var,
    ensure_keys,
    parse_database_url,
    var_folder,
    weakness_of_key,
    without_password,
    write_private_json,
)


def environment(tmp_path: Path, **values: str) -> Environment:
    return Environment.load({"SIGHTLINE_VAR": str(tmp_path), **values})


def test_unset_and_blank_variables_have_their_declared_default(tmp_path: Path) -> None:
    assert environment(tmp_path).port() == 8000
    assert environment(tmp_path, SIGHTLINE_PORT="  ").port() == 8000
    assert environment(tmp_path).flag("SIGHTLINE_DEBUG") is False


def test_an_undeclared_variable_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="SIGHTLINE_NOBODY"):
        environment(tmp_path).text("SIGHTLINE_NOBODY")


@pytest.mark.parametrize(("text", "value"), [("1", True), ("TRUE", True), ("yes", True), ("0", False), ("off", False)])
def test_flags(tmp_path: Path, text: str, value: bool) -> None:
    assert environment(tmp_path, SIGHTLINE_DEBUG=text).flag("SIGHTLINE_DEBUG") is value


@pytest.mark.parametrize("text", ["maybe", "2"])
def test_a_flag_that_is_none_names_variable_and_value(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadSetting, match=f"SIGHTLINE_DEBUG='{text}'"):
        environment(tmp_path, SIGHTLINE_DEBUG=text).flag("SIGHTLINE_DEBUG")


@pytest.mark.parametrize("text", ["eighty", "0", "65536", "-1", "80.0"])
def test_a_port_that_is_none_names_variable_and_value(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadSetting, match=f"SIGHTLINE_PORT='{text}'.*1 and at most 65535"):
        environment(tmp_path, SIGHTLINE_PORT=text).port()


def test_lists_drop_blanks(tmp_path: Path) -> None:
    hosts = environment(tmp_path, SIGHTLINE_ALLOWED_HOSTS=" a.example, ,b.example,").names("SIGHTLINE_ALLOWED_HOSTS")
    assert hosts == ["a.example", "b.example"]


def test_paths_are_absolute_or_none(tmp_path: Path) -> None:
    assert environment(tmp_path).path("SIGHTLINE_MODEL_DIR") is None
    given = environment(tmp_path, SIGHTLINE_MODEL_DIR="weights").path("SIGHTLINE_MODEL_DIR")
    assert given == Path.cwd() / "weights"


def test_the_var_folder_lies_in_the_checkout_unless_given() -> None:
    assert var_folder({}).root == PROJECT / "var"
    assert var_folder({"SIGHTLINE_VAR": "/elsewhere"}).root == Path("/elsewhere")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgres://ann:p%40ss@db.example:6543/bench?sslmode=require",
            {
                "USER": "ann",
                "PASSWORD": "p@ss",
                "HOST": "db.example",
                "PORT": "6543",
                "NAME": "bench",
                "OPTIONS": {"sslmode": "require", "prepare_threshold": 1},
            },
        ),
        (
            "postgresql:///bench?host=/run/pg&port=7",
            {"USER": "", "HOST": "/run/pg", "PORT": "7", "NAME": "bench", "OPTIONS": {"prepare_threshold": 1}},
        ),
        ("postgres://postgres@/bench?host=/a%20b", {"USER": "postgres", "HOST": "/a b", "PORT": "", "NAME": "bench"}),
        ("postgres://%2Frun%2Fpg/bench", {"HOST": "/run/pg", "NAME": "bench"}),
        ("postgres://[::1]:5433/bench", {"HOST": "::1", "PORT": "5433"}),
        ("postgres://db/bench?prepare_threshold=none", {"OPTIONS": {"prepare_threshold": None}}),
    ],
)
def test_database_urls(url: str, expected: dict[str, object]) -> None:
    parsed = parse_database_url(url)
    assert {key: parsed[key] for key in expected} == expected
    assert parsed["ENGINE"] == "django.db.backends.postgresql"


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("mysql://ann:hidden@db/bench", "expected postgres://"),
        ("postgres://ann:hidden@db/", "one database name"),
        ("postgres://ann:hidden@db:99999/bench", "port"),
        ("bench.sqlite3", "expected postgres://"),
        ("postgres://ann:hidden@db/bench?prepare_threshold=soon", "whole number or none as prepare_threshold"),
    ],
)
def test_a_bad_database_url_is_refused_without_its_password(url: str, complaint: str) -> None:
    with pytest.raises(BadSetting, match=complaint) as caught:
        parse_database_url(url)
    assert "hidden" not in str(caught.value)
    assert "DATABASE_URL" in str(caught.value)


def test_a_broker_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"CELERY_BROKER_URL.*redis://"):
        environment(tmp_path, CELERY_BROKER_URL="sqs://queue").broker()


def test_passwords_are_hidden_in_messages() -> None:
    assert without_password("redis://:secret@h/0") == "redis://:***@h/0"
    assert without_password("postgres://h/x") == "postgres://h/x"


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("", "is not set"),
        ("tooshort", "shorter than 50"),
        ("a" * 64, "guessable"),
        ("django-insecure-" + "k3y" * 20, "default"),
    ],
)
def test_weak_secret_keys_are_refused_and_not_shown(tmp_path: Path, key: str, complaint: str) -> None:
    with pytest.raises(BadSetting, match=complaint) as caught:
        environment(tmp_path, SECRET_KEY=key).secret_key()
    assert not key or key not in str(caught.value)


def test_generated_keys_are_strong_private_and_kept(tmp_path: Path) -> None:
    var = Var(tmp_path / "var").create()
    first = ensure_keys(var)
    assert weakness_of_key(first["SECRET_KEY"]) == ""
    assert ensure_keys(var) == first
    assert stat.S_IMODE(var.keys.stat().st_mode) == 0o600


def test_commands_find_running_servers_through_the_var_folder_alone(tmp_path: Path) -> None:
    var = Var(tmp_path).create()
    key = secrets.token_urlsafe(64)
    left = {"DATABASE_URL": "postgres:///left?host=/x", "CELERY_BROKER_URL": "redis+socket:///left", "SECRET_KEY": key}
    write_private_json(var.servers, left)
    found = environment(tmp_path)
    assert found.database()["NAME"] == "left"
    assert found.broker() == "redis+socket:///left"
    assert found.secret_key() == key


def test_what_is_given_comes_before_what_was_left(tmp_path: Path) -> None:
    var = Var(tmp_path).create()
    write_private_json(var.servers, {"DATABASE_URL": "postgres:///left?host=/x"})
    assert environment(tmp_path, DATABASE_URL="postgres:///given?host=/y").database()["NAME"] == "given"


def test_without_servers_the_embedded_sockets_are_assumed(tmp_path: Path) -> None:
    assert environment(tmp_path).database()["HOST"] == str(tmp_path / "run")
    assert environment(tmp_path).broker() == f"redis+socket://{tmp_path}/run/valkey.sock"


def test_a_broken_file_of_servers_is_named(tmp_path: Path) -> None:
    var = Var(tmp_path).create()
    var.servers.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"servers\.json is not JSON"):
        environment(tmp_path)


def test_private_files_hold_what_was_written_and_are_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "private.json"
    write_private_json(path, {"a": "1"})
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": "1"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_variable_says_what_it_means() -> None:
    assert all(variable.meaning and variable.name.isupper() for variable in VARIABLES.values())
