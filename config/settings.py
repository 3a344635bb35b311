"""Django's settings. Every value that a deployment may change is an environment variable (config/environment.py)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from config.environment import Environment
from config.storage import default_storage

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = Environment.load()
VAR = ENVIRONMENT.var
IS_HTTPS = ENVIRONMENT.text("SIGHTLINE_BASE_URL").startswith("https://")

DEBUG = ENVIRONMENT.flag("SIGHTLINE_DEBUG")
SECRET_KEY = ENVIRONMENT.secret_key()
ALLOWED_HOSTS = ENVIRONMENT.names("SIGHTLINE_ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = [origin for origin in [ENVIRONMENT.text("SIGHTLINE_BASE_URL").rstrip("/")] if origin]

INSTALLED_APPS = [
    "config",
    "inference",
    "annotations",
    "curation",
    "config.admin_site.LookOnlyAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rules.apps.AutodiscoverRulesConfig",
    "pgtrigger",
    "csp",
    "django_htmx",
    "django_vite",
    "django_celery_beat",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Below the static files, which are kept; above everything that answers somebody.
    "curation.keeping.keep_nothing",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Denies every ordinary view to whoever is not signed in, unless the view says otherwise.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "curation.context.site",
            ]
        },
    }
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": {**ENVIRONMENT.database(), "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
}
if most_connections := ENVIRONMENT.whole("SIGHTLINE_DATABASE_POOL"):
    # To open a connection costs PostgreSQL a process, which is more than most requests cost it.
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": most_connections}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STORAGES: dict[str, dict[str, Any]] = {
    "default": default_storage(ENVIRONMENT.text("SIGHTLINE_STORAGE_URL"), folder=VAR.media),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
MEDIA_ROOT = VAR.media
STATIC_URL = "/static/"
STATIC_ROOT = VAR.static
STATICFILES_DIRS = [BASE_DIR / "frontend" / "dist"]
DJANGO_VITE = {"default": {"manifest_path": BASE_DIR / "frontend" / "dist" / ".vite" / "manifest.json"}}
# Vite names its files by their content, so that they may be kept for ever.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/assets/.+-[\w-]{8}\.\w+$"

AUTH_USER_MODEL = "curation.User"
AUTHENTICATION_BACKENDS = [
    # First: where too many log-ins have failed, no password is looked at.
    "curation.guessing.GuessingGuard",
    "rules.permissions.ObjectPermissionBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # First, so that who sends nothing is answered 401 rather than 403.
        "curation.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["curation.access.Denied"],
    "DEFAULT_RENDERER_CLASSES": ["curation.problem_json.ProblemRenderer"],
    "DEFAULT_PARSER_CLASSES": ["curation.strict_json.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "curation.problems.handle",
    # `?format=png` is an argument of a frame, not a choice of renderer.
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
REST_KNOX = {"TOKEN_TTL": None, "AUTH_HEADER_PREFIX": "Token"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Sightline",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["curation.access.SignedIn"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

CELERY_BROKER_URL = ENVIRONMENT.broker()
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "annotations.tasks.agree_case": {"queue": "scores"},
    "annotations.tasks.score_probes": {"queue": "scores"},
    "inference.tasks.predict_case": {"queue": "gpu"},
    "inference.tasks.score_reading": {"queue": "scores"},
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 3600
CELERY_TASK_SOFT_TIME_LIMIT = 3540
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than the longest task, else the broker hands a running task out again.
    "visibility_timeout": 3 * 3600,
    # Of a sender: without these a request waits six seconds for a broker that is away, and minutes for one that is cut
    # off. Workers reconnect by rules of their own.
    "socket_connect_timeout": 2,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
# A request must not hang when the broker is away: the job's row is written, and `sweep` sends it again.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "inference.tasks.sweep",
        "schedule": dt.timedelta(seconds=ENVIRONMENT.whole("SIGHTLINE_SWEEP_S", least=1)),
    },
    "sweep-all": {
        "task": "inference.tasks.sweep_all",
        "schedule": dt.timedelta(seconds=ENVIRONMENT.whole("SIGHTLINE_SWEEP_ALL_S", least=1)),
    },
    "seal-audit": {
        "task": "curation.tasks.seal_audit",
        "schedule": dt.timedelta(seconds=1),
        # Behind a long export only the newest is worth running: each seals all that waits.
        "options": {"expires": 1},
    },
}

# Dotted paths in order, like MIDDLEWARE: each app adds its part of what a lower app does.
IMPORT_SECTIONS: list[str] = []
SNAPSHOT_SECTIONS = ["annotations.releasing.snapshot_readings"]
EXPORT_SECTIONS = [
    "annotations.releasing.export_readings",
    "inference.releasing.export_scores",
]
CASE_TRAIL_SECTIONS = ["curation.trail_sections.section", "annotations.trail.section", "inference.trail.section"]
FACT_SECTIONS = [
    "annotations.facts.reading_facts",
    "annotations.facts.queue_facts",
    "inference.facts.prediction_facts",
]
# Functions from ids to names of those whose agreement is shown: readers and models.
PARTY_NAMES = ["annotations.agreement_names.reader_names", "inference.agreeing.model_names"]
# Modules of other read models, each with `record(case_ids)` and `differing(case_ids)`: rebuild_facts covers them too.
READ_MODELS = [
    "annotations.agreement",
    "inference.verdicts",
    "inference.agreeing",
    "annotations.agreement_kept",
    "inference.priorities",
]

# A reader's place at a case is held this long after the last sign of life.
LEASE_MINUTES = ENVIRONMENT.whole("SIGHTLINE_LEASE_MINUTES", least=1)
# A model that takes longer over one case hangs.
PREDICT_DEADLINE_S = ENVIRONMENT.whole("SIGHTLINE_PREDICT_DEADLINE_S", least=1)
MODEL_DIR = ENVIRONMENT.path("SIGHTLINE_MODEL_DIR")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {"without_heartbeat": {"()": "config.logs.WithoutHeartbeat"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without_heartbeat"]},
    },
    "root": {"handlers": ["stderr"], "level": ENVIRONMENT.text("SIGHTLINE_LOG_LEVEL")},
}
