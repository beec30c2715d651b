"""Settings of the project. Each environment variable is read here, once, with its default.

Variables come from the environment or from a file `.env` beside `manage.py`; the environment
wins. README.md has the table of all of them.
"""

import os
import secrets
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
ENV_FILE = Path(os.environ.get("RENDERHUB_ENV_FILE", BASE_DIR / ".env"))
if "RENDERHUB_ENV_FILE" in os.environ and not ENV_FILE.exists():
    raise ImproperlyConfigured(f"RENDERHUB_ENV_FILE names {ENV_FILE}, which is not there.")
environ.Env.read_env(ENV_FILE)

# Django -------------------------------------------------------------------------------------

DEBUG = env.bool("DJANGO_DEBUG", default=False)
# Without one in the environment, each process makes its own: safe, but sign-ins end with it.
SECRET_KEY = env.str("DJANGO_SECRET_KEY", default="") or f"django-insecure-{secrets.token_hex(32)}"
ALLOWED_HOSTS = env.list("DJANGO_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("DJANGO_CSRF_TRUSTED_ORIGINS", default=[])
SECURE_SSL_REDIRECT = env.bool("DJANGO_SECURE_SSL_REDIRECT", default=False)
SECURE_HSTS_SECONDS = env.int("DJANGO_SECURE_HSTS_SECONDS", default=0)
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("DJANGO_BEHIND_PROXY", default=False) else None
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("DJANGO_SECURE_COOKIES", default=False)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "renders",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "renderhub.urls"
WSGI_APPLICATION = "renderhub.wsgi.application"
ASGI_APPLICATION = "renderhub.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# A render's row must be committed before AWS is called, so there is no ATOMIC_REQUESTS.
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        "timeout": 20,
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
# The admin's files are served straight from the packages: no collectstatic, DEBUG or not.
WHITENOISE_USE_FINDERS = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"renders": {"level": env.str("RENDERHUB_LOG_LEVEL", default="INFO")}},
}

# The API ------------------------------------------------------------------------------------

API_ALLOW_ANONYMOUS = env.bool("API_ALLOW_ANONYMOUS", default=False)
# Bytes of a request's body: room for a `code` of the longest length, all of it escaped.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

REST_FRAMEWORK = {
    # The first one decides that "not signed in" is 401 and not 403.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "renders.api.auth.TokenAuthentication",
        "renders.api.auth.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["renders.api.auth.RenderPermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["renders.api.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "renders.api.pagination.NewestFirstPagination",
    "URL_FORMAT_OVERRIDE": None,  # `?format=` is an unknown parameter like any other
    "EXCEPTION_HANDLER": "renders.api.errors.exception_handler",
}

# Remotion Lambda ----------------------------------------------------------------------------

REMOTION_AWS_ACCESS_KEY_ID = env.str("REMOTION_AWS_ACCESS_KEY_ID", default="")
REMOTION_AWS_SECRET_ACCESS_KEY = env.str("REMOTION_AWS_SECRET_ACCESS_KEY", default="")
REMOTION_AWS_SESSION_TOKEN = env.str("REMOTION_AWS_SESSION_TOKEN", default="")
AWS_ACCESS_KEY_ID = env.str("AWS_ACCESS_KEY_ID", default="")
AWS_SECRET_ACCESS_KEY = env.str("AWS_SECRET_ACCESS_KEY", default="")
AWS_SESSION_TOKEN = env.str("AWS_SESSION_TOKEN", default="")
REMOTION_USE_DEFAULT_CREDENTIALS = env.bool("REMOTION_USE_DEFAULT_CREDENTIALS", default=False)
AWS_ENDPOINT_URL_S3 = env.str("AWS_ENDPOINT_URL_S3", default="")
AWS_ENDPOINT_URL_LAMBDA = env.str("AWS_ENDPOINT_URL_LAMBDA", default="")

REMOTION_REGION = env.str("REMOTION_REGION", default="us-east-1")
REMOTION_RAM = env.int("REMOTION_RAM", default=3009)
REMOTION_DISK = env.int("REMOTION_DISK", default=10240)
REMOTION_TIMEOUT = env.int("REMOTION_TIMEOUT", default=240)
REMOTION_FUNCTION_NAME = env.str("REMOTION_FUNCTION_NAME", default="")
REMOTION_SITE_NAME = env.str("REMOTION_SITE_NAME", default="")
REMOTION_SERVE_URL = env.str("REMOTION_SERVE_URL", default="")
REMOTION_COMPOSITION = env.str("REMOTION_COMPOSITION", default="DynamicComp")
REMOTION_BUCKET_NAME = env.str("REMOTION_BUCKET_NAME", default="")
REMOTION_PRIVACY = env.str("REMOTION_PRIVACY", default="private")
# Where Remotion tells how a render ended, and the secrets of its signature, comma-separated: the first
# signs for renders that start now, and any of them is accepted.
REMOTION_WEBHOOK_URL = env.str("REMOTION_WEBHOOK_URL", default="")
REMOTION_WEBHOOK_SECRET = env.str("REMOTION_WEBHOOK_SECRET", default="")
# Functions that may run at a time over all renders: AWS's quota less what else uses it.
REMOTION_CONCURRENCY = env.int("REMOTION_CONCURRENCY", default=200)
REMOTION_MAX_CODE_LENGTH = env.int("REMOTION_MAX_CODE_LENGTH", default=200_000)
# Seconds without any progress after which a render is shown as stalled; it goes on being read.
REMOTION_STALL_SECONDS = env.int("REMOTION_STALL_SECONDS", default=120)
# Seconds to wait for the function's answer to `start`; beyond it the outcome is unknown.
REMOTION_START_TIMEOUT = env.int("REMOTION_START_TIMEOUT", default=60)
