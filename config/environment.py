"""Every environment variable of the product: declared once, read with its type, refused with its name and value.

Importing this module touches no file. `Environment.load()` reads the process's variables and, for the few that
`make run` settles by itself (servers and keys), the file it left in the var folder; that is how commands in the
checkout find a running server through SIGHTLINE_VAR alone.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

PROJECT = Path(__file__).resolve().parent.parent
SHORTEST_SECRET_KEY = 50
DATABASE_SCHEMES = ("postgres", "postgresql")
BROKER_SCHEMES = ("redis", "rediss", "redis+socket", "amqp", "amqps")


class BadSetting(ValueError):
    """A variable whose value cannot be used."""

    def __init__(self, name: str, value: str, wanted: str) -> None:
        super().__init__(f"environment variable {name}={value!r}: {wanted}")
        self.name = name


@dataclass(frozen=True)
class Variable:
    """One row of README's settings table."""

    name: str
    default: str
    meaning: str


_DECLARED = (
    Variable("SIGHTLINE_VAR", "./var", "Folder of all state: databases, media, keys, logs"),
    Variable("SIGHTLINE_HOST", "127.0.0.1", "Address the web server listens on"),
    Variable("SIGHTLINE_PORT", "8000", "Port the web server listens on"),
    Variable("SIGHTLINE_DEBUG", "0", "Django's debug pages; never where others can reach the site"),
    Variable("SIGHTLINE_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", "Host names the site answers to"),
    Variable(
        "SIGHTLINE_BASE_URL",
        "",
        "Public address of the site, if a proxy stands before it (https:// turns on secure cookies)",
    ),
    Variable("SIGHTLINE_MODEL_DIR", "", "Folder below which local model weights may lie, beside the project itself"),
    Variable("SIGHTLINE_LOG_LEVEL", "INFO", "Least level that is logged"),
    Variable(
        "SIGHTLINE_STORAGE_URL",
        "",
        "s3://bucket?endpoint_url=…&region_name=… for S3-compatible storage; empty: the var folder",
    ),
    Variable("SIGHTLINE_LEASE_MINUTES", "45", "How long a case stays with a reader after the last sign of life"),
    Variable("SIGHTLINE_SWEEP_S", "30", "Seconds between two looks for lost jobs"),
    Variable("SIGHTLINE_SWEEP_ALL_S", "600", "Seconds between two looks at every case for what was never asked for"),
    Variable(
        "SIGHTLINE_PREDICT_DEADLINE_S",
        "900",
        "Seconds after which a model counts as hung over a case; its worker is started again",
    ),
    Variable(
        "SIGHTLINE_DATABASE_POOL",
        "0",
        "Connections to PostgreSQL that a process keeps open at most; 0: one for each request (the web process: 20)",
    ),
    Variable("SECRET_KEY", "", "Django's signing key, at least 50 characters; made and kept by `make run`"),
    Variable("DATABASE_URL", "", "postgres:// URL of PostgreSQL; empty: the embedded server of `make run`"),
    Variable(
        "CELERY_BROKER_URL", "", "redis://, redis+socket:// or amqp:// URL; empty: the embedded Valkey of `make run`"
    ),
)
VARIABLES: Mapping[str, Variable] = {variable.name: variable for variable in _DECLARED}

# What `make run` settles by itself and leaves for commands run beside it.
SHARED_BY_SERVERS = ("DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY")


@dataclass(frozen=True)
class Var:
    """Where state lies below SIGHTLINE_VAR."""

    root: Path

    @property
    def run(self) -> Path:
        """Sockets, locks and what is true only while servers run."""
        return self.root / "run"

    @property
    def postgres(self) -> Path:
        """Data directory of the embedded PostgreSQL."""
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        """Append-only files of the embedded Valkey."""
        return self.root / "valkey"

    @property
    def media(self) -> Path:
        """Content-addressed images and exports."""
        return self.root / "media"

    @property
    def static(self) -> Path:
        """Collected static files (STATIC_ROOT)."""
        return self.root / "static"

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.root / "log"

    @property
    def keys(self) -> Path:
        """Generated keys; made once and kept."""
        return self.root / "keys.json"

    @property
    def servers(self) -> Path:
        """DSNs and keys of the servers now running."""
        return self.run / "servers.json"

    def create(self) -> "Var":
        """Make the folders, closed to others."""
        for folder in (self.root, self.run, self.valkey, self.media, self.static, self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # An older run or the user may have made it wider; trust authentication relies on this mode.
        self.run.chmod(0o700)
        return self


def var_folder(values: Mapping[str, str]) -> Var:
    """SIGHTLINE_VAR as an absolute folder; the default lies in the checkout, wherever a command is run from."""
    given = values.get("SIGHTLINE_VAR", "").strip()
    return Var(Path(given).expanduser().absolute() if given else PROJECT / "var")


@dataclass(frozen=True)
class Environment:
    """The variables' values, read with their types."""

    values: Mapping[str, str]
    var: Var

    @classmethod
    def load(cls, process: Mapping[str, str] | None = None) -> "Environment":
        """The process's variables, completed by what a running `make run` left in the var folder."""
        given = dict(os.environ if process is None else process)
        var = var_folder(given)
        missing = [name for name in SHARED_BY_SERVERS if not given.get(name, "").strip()]
        if missing:
            left = {**read_json(var.keys), **read_json(var.servers)}
            given.update({name: left[name] for name in missing if name in left})
        return cls(values=given, var=var)

    def text(self, name: str) -> str:
        """The value as it stands, or the declared default if unset or blank."""
        return self.values.get(name, "").strip() or VARIABLES[name].default

    def flag(self, name: str) -> bool:
        """1/0, true/false, yes/no, on/off."""
        value = self.text(name)
        if value.lower() in {"1", "true", "yes", "on"}:
            return True
        if value.lower() in {"0", "false", "no", "off", ""}:
            return False
        raise BadSetting(name, value, "expected 1 or 0")

    def whole(self, name: str, *, least: int = 0, most: int | None = None) -> int:
        """A whole number within bounds."""
        value = self.text(name)
        bounds = f"expected a whole number of at least {least}" + ("" if most is None else f" and at most {most}")
        try:
            number = int(value)
        except ValueError:
            raise BadSetting(name, value, bounds) from None
        if number < least or (most is not None and number > most):
            raise BadSetting(name, value, bounds)
        return number

    def port(self) -> int:
        """The web server's port."""
        return self.whole("SIGHTLINE_PORT", least=1, most=65535)

    def names(self, name: str) -> list[str]:
        """A comma-separated list; blanks are dropped."""
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def path(self, name: str) -> Path | None:
        """An absolute path, or None if unset."""
        value = self.text(name)
        return Path(value).expanduser().absolute() if value else None

    def url(self, name: str, *, schemes: tuple[str, ...]) -> str:
        """A URL with one of the schemes, or "" if unset."""
        value = self.text(name)
        if value and urlsplit(value).scheme not in schemes:
            wanted = ", ".join(f"{scheme}://" for scheme in schemes)
            raise BadSetting(name, without_password(value), f"expected a URL that starts with one of {wanted}")
        return value

    def database(self) -> dict[str, object]:
        """Django's DATABASES["default"], from DATABASE_URL or else the embedded server's usual socket."""
        value = self.text("DATABASE_URL") or socket_dsn(self.var.run)
        return parse_database_url(value)

    def broker(self) -> str:
        """Celery's broker URL, from CELERY_BROKER_URL or else the embedded server's usual socket."""
        return self.url("CELERY_BROKER_URL", schemes=BROKER_SCHEMES) or f"redis+socket://{self.var.run}/valkey.sock"

    def secret_key(self) -> str:
        """SECRET_KEY; a missing, short or well-known one is refused."""
        value = self.text("SECRET_KEY")
        wanted = weakness_of_key(value)
        if wanted:
            # Never the value itself: start-up errors end up in logs.
            raise BadSetting("SECRET_KEY", f"<{len(value)} characters>", wanted)
        return value


def weakness_of_key(key: str) -> str:
    """Why a SECRET_KEY must be refused, or "" if it may be used."""
    remedy = 'make one with `python -c "import secrets; print(secrets.token_urlsafe(64))"`, or start with `make run`'
    if not key:
        return f"is not set; {remedy}"
    if len(key) < SHORTEST_SECRET_KEY:
        return f"is shorter than {SHORTEST_SECRET_KEY} characters; {remedy}"
    if key.startswith("django-insecure-") or len(set(key)) < 8:
        return f"is a default or guessable key; {remedy}"
    return ""


def socket_dsn(folder: Path | str, name: str = "sightline") -> str:
    """URL of a database on the embedded server whose socket lies in `folder`."""
    return f"postgres://postgres@/{name}?host={folder}"


def parse_database_url(url: str) -> dict[str, object]:
    """A postgres:// URL as Django's settings of one database.

    The host may be a socket folder, as `?host=/folder` or percent-encoded in the host's place. Other query
    parameters (sslmode, connect_timeout, ...) are passed to the driver. `prepare_threshold` is after how many uses a
    connection prepares a statement of `curation.statements`: 1 unless it is given, `none` for never (a pooler between
    that hands one session's statements to others).
    """
    shown = without_password(url)
    parts = urlsplit(url)
    if parts.scheme not in DATABASE_SCHEMES:
        raise BadSetting("DATABASE_URL", shown, "expected postgres://user:password@host:port/name")
    name = unquote(parts.path.lstrip("/"))
    if not name or "/" in name:
        raise BadSetting("DATABASE_URL", shown, "expected one database name after the host")
    try:
        port = parts.port
    except ValueError:
        raise BadSetting("DATABASE_URL", shown, "expected a port from 0 to 65535") from None
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    uses = options.pop("prepare_threshold", "1")
    if uses != "none" and not (uses.isascii() and uses.isdecimal()):
        raise BadSetting("DATABASE_URL", shown, "expected a whole number or none as prepare_threshold")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or "") or options.pop("user", ""),
        "PASSWORD": unquote(parts.password or "") or options.pop("password", ""),
        "HOST": host,
        "PORT": str(port or options.pop("port", "")),
        "OPTIONS": {**options, "prepare_threshold": None if uses == "none" else int(uses)},
    }


def without_password(url: str) -> str:
    """The URL with its password hidden, for messages."""
    password = urlsplit(url).password
    return url.replace(f":{password}@", ":***@") if password else url


def read_json(path: Path) -> dict[str, str]:
    """A JSON object of strings, {} if the file does not exist."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    return {str(key): str(value) for key, value in content.items()}


def write_private_json(path: Path, content: Mapping[str, str]) -> None:
    """Write whole or not at all, readable by the owner only."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(dict(content), file, indent=2)
    fresh.replace(path)


def ensure_keys(var: Var) -> dict[str, str]:
    """The generated keys of this var folder; made once, mode 0600, and kept."""
    keys = read_json(var.keys)
    if "SECRET_KEY" not in keys:
        keys["SECRET_KEY"] = secrets.token_urlsafe(64)
        write_private_json(var.keys, keys)
    return keys
