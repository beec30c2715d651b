"""Settings of the project. Each environment variable is read here, once, with its default.

Variables come from the environment or from a file, `.env` beside `manage.py`; the environment
wins. A value that cannot be used raises ImproperlyConfigured. docs/settings.md lists the variables.
"""

from pathlib import Path

from renderhub import admin_theme
from renderhub.content_security import content_security_policy
from renderhub.env import env, generate_secret_key, read_env_file
from renders.remotion.pricing import PRICES

BASE_DIR = Path(__file__).resolve().parent.parent

if env_file := env.text("RENDERHUB_ENV_FILE", pattern=".+", allowed="the path of a file"):
    read_env_file(Path(env_file))
elif (BASE_DIR / ".env").exists():
    read_env_file(BASE_DIR / ".env")

# Django -------------------------------------------------------------------------------------

DEBUG = env.boolean("DJANGO_DEBUG")
SECRET_KEY = env.secret("DJANGO_SECRET_KEY")
if SECRET_KEY_IS_GENERATED := not SECRET_KEY:
    SECRET_KEY = generate_secret_key()
# Only the sandbox sets it: the file of the link with which it signs in.
SANDBOX_SIGN_IN_FILE = env.text("RENDERHUB_SANDBOX_SIGN_IN_FILE", pattern=".+", allowed="the path of a file")
ALLOWED_HOSTS = env.texts(
    "DJANGO_ALLOWED_HOSTS",
    default=["localhost", "127.0.0.1", "[::1]"],
    pattern=r"\*|\.?[\w-]+(\.[\w-]+)*\.?|\[[\da-fA-F:.]+\]",
    allowed="names of hosts without scheme and port, such as renders.example.com, .example.com or *",
)
CSRF_TRUSTED_ORIGINS = env.texts(
    "DJANGO_CSRF_TRUSTED_ORIGINS",
    pattern=r"https?://(\*\.)?([\w.-]+|\[[\da-fA-F:.]+\])(:\d{1,5})?",
    allowed="scheme and host without a path, such as https://renders.example.com",
)
SECURE_SSL_REDIRECT = env.boolean("DJANGO_SECURE_SSL_REDIRECT")
SECURE_HSTS_SECONDS = env.integer(
    "DJANGO_SECURE_HSTS_SECONDS", default=0, minimum=0, maximum=315_360_000, unit="seconds, at most ten years"
)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.boolean("DJANGO_BEHIND_PROXY") else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.boolean("DJANGO_SECURE_COOKIES")

INSTALLED_APPS = [
    "renders",  # before staticfiles, whose runserver it extends, and the admin, whose templates it replaces
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "renderhub.apps.AdminSiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "csp",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "renders.operations.setup_errors.SetupErrorMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "renderhub.content_security_middleware.PageSecurityMiddleware",
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
# Requests at a time in each process that serves ASGI; open streams do not count.
WEB_THREADS = env.integer("RENDERHUB_WEB_THREADS", default=16, minimum=1, maximum=512, unit="threads")

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


# A row is committed before AWS is called, so that a failure after the call cannot undo it: no ATOMIC_REQUESTS.
DATABASES = {"default": env.database("DATABASE_URL", default=BASE_DIR / "db.sqlite3")}
conn_max_age = env.integer(
    "DATABASE_CONN_MAX_AGE", default=60, minimum=0, maximum=86_400, unit="seconds, at most a day"
)
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        "timeout": 20,
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = conn_max_age
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # Seconds; without it, a host that does not answer holds a request for minutes.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 10)
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
FORMAT_MODULE_PATH = "renderhub.formats"

UNFOLD = admin_theme.UNFOLD
LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"

STATIC_URL = "static/"
# WhiteNoise serves the admin's files from the installed packages: no collectstatic, with DEBUG or without.
WHITENOISE_USE_FINDERS = True

log_levels = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "renders": {"level": env.choice("RENDERHUB_LOG_LEVEL", "INFO", log_levels)},
        "urllib3.connection": {"level": "ERROR"},  # warns of answers that webhook endpoints may give
    },
}

# The API ------------------------------------------------------------------------------------

API_ALLOW_ANONYMOUS = env.boolean("API_ALLOW_ANONYMOUS")
# Knox's own migrations make a table of keys that nothing uses, and that keeps PostgreSQL from truncating others.
MIGRATION_MODULES = {"knox": None}
KNOX_TOKEN_MODEL = "renders.ApiKey"  # noqa: S105  (the name of a model)
# A key is `rhub_` and 64 hexadecimal digits: by the prefix, scanners for leaked secrets can find it.
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_PREFIX": "rhub_", "TOKEN_TTL": None}
# Secrets of webhook endpoints are derived from this key; without it, from SECRET_KEY.
WEBHOOK_SIGNING_KEY = env.secret("WEBHOOK_SIGNING_KEY")
# For development: webhooks may go to http:// and into private networks.
WEBHOOK_ALLOW_PRIVATE = env.boolean("WEBHOOK_ALLOW_PRIVATE")
# Bytes of a request's body: a `code` of the default length fits with each character escaped.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

# Pages of these origins may call the API from a browser. Without any, no answer mentions it.
API_CORS_ALLOWED_ORIGINS = env.texts(
    "API_CORS_ALLOWED_ORIGINS",
    pattern=r"https?://([\w.-]+|\[[\da-fA-F:.]+\])(:\d{1,5})?",
    allowed="scheme and host without a path, such as https://shop.example.com",
)
CORS_ALLOWED_ORIGINS = API_CORS_ALLOWED_ORIGINS
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_METHODS = ("GET", "POST", "PATCH", "DELETE", "OPTIONS")
CORS_ALLOW_HEADERS = ("accept", "authorization", "content-type", "idempotency-key", "last-event-id")
CORS_EXPOSE_HEADERS = ("Location", "Retry-After", "RateLimit", "RateLimit-Policy", "Idempotency-Replayed")
if API_CORS_ALLOWED_ORIGINS:
    # Before all that could answer, a redirect to https for example; those answers need the headers too.
    MIDDLEWARE.insert(1, "corsheaders.middleware.CorsMiddleware")

# `remotion`: the two lambda endpoints answer as the routes of Remotion's Next.js template do.
LAMBDA_API_ENVELOPE = env.choice("LAMBDA_API_ENVELOPE", "none", ("none", "remotion"))

# How many requests of an owner, or of an address where there is none, are answered: `60/minute`. Empty: any number.
rates = {
    f"API_RATE_{name}": env.text(
        f"API_RATE_{name}",
        pattern=r"[1-9]\d{0,6}/(second|minute|hour|day)",
        allowed="a number and second, minute, hour or day, such as 60/minute",
    )
    for name in ("CREATE", "READ", "WEBHOOK")
}
API_RATE_CREATE, API_RATE_READ, API_RATE_WEBHOOK = rates.values()
# What all processes share: the counts of requests.
CACHES = {"default": env.cache("CACHE_URL", table="renders_cache")}

REST_FRAMEWORK = {
    # The first class has an `authenticate_header`, so that DRF answers 401 and not 403 without credentials.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "renders.api.auth.ApiKeyAuthentication",
        "renders.api.auth.SessionAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["renders.api.throttles.ScopeThrottle", "renders.api.throttles.QuotaThrottle"],
    # Which address in X-Forwarded-For is believed: the last, which the proxy has added, or none.
    "NUM_PROXIES": 1 if SECURE_PROXY_SSL_HEADER else 0,
    "DEFAULT_PERMISSION_CLASSES": ["renders.api.auth.RenderPermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["renders.api.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "renders.api.pagination.NewestFirstPagination",
    "URL_FORMAT_OVERRIDE": None,  # `?format=` is an unknown parameter like any other
    "EXCEPTION_HANDLER": "renders.api.errors.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "renders.api.openapi.auto_schema.AutoSchema",
}

SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "renderhub",
    "DESCRIPTION": "Start Remotion renders on AWS Lambda, follow them, get their files.",
    "VERSION": "1",
    "DEFAULT_GENERATOR_CLASS": "renders.api.openapi.generator.Generator",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "renders.api.openapi.webhooks.add_webhooks",
    ],
    "SCHEMA_PATH_PREFIX": "/api/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "StatusEnum": "renders.models.Render.Status",
        "WebhookMessageStatusEnum": "renders.models.WebhookMessage.Status",
    },
    "SERVE_AUTHENTICATION": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True},
    "REDOC_DIST": "SIDECAR",
}

# Remotion Lambda ----------------------------------------------------------------------------

REMOTION_AWS_ACCESS_KEY_ID = env.secret("REMOTION_AWS_ACCESS_KEY_ID")
REMOTION_AWS_SECRET_ACCESS_KEY = env.secret("REMOTION_AWS_SECRET_ACCESS_KEY")
REMOTION_AWS_SESSION_TOKEN = env.secret("REMOTION_AWS_SESSION_TOKEN")
AWS_ACCESS_KEY_ID = env.secret("AWS_ACCESS_KEY_ID")
AWS_SECRET_ACCESS_KEY = env.secret("AWS_SECRET_ACCESS_KEY")
AWS_SESSION_TOKEN = env.secret("AWS_SESSION_TOKEN")
REMOTION_USE_DEFAULT_CREDENTIALS = env.boolean("REMOTION_USE_DEFAULT_CREDENTIALS")
AWS_ENDPOINT_URL_S3 = env.url("AWS_ENDPOINT_URL_S3")
AWS_ENDPOINT_URL_LAMBDA = env.url("AWS_ENDPOINT_URL_LAMBDA")
CONTENT_SECURITY_POLICY = content_security_policy(s3_endpoint=AWS_ENDPOINT_URL_S3)

REMOTION_REGION = env.choice("REMOTION_REGION", "us-east-1", PRICES)
# Limits: https://www.remotion.dev/docs/lambda/deployfunction
REMOTION_RAM = env.integer("REMOTION_RAM", default=3009, minimum=512, maximum=10_240, unit="MB of memory")
REMOTION_DISK = env.integer("REMOTION_DISK", default=10_240, minimum=512, maximum=10_240, unit="MB of disk")
REMOTION_TIMEOUT = env.integer("REMOTION_TIMEOUT", default=240, minimum=15, maximum=900, unit="seconds")
REMOTION_FUNCTION_NAME = env.text(
    "REMOTION_FUNCTION_NAME",
    pattern=r"[A-Za-z0-9_-]{1,64}",
    allowed="the name of a Lambda function, not its ARN: up to 64 letters, digits, hyphens and underscores",
)
REMOTION_SITE_NAME = env.text(
    "REMOTION_SITE_NAME",
    pattern=r"[0-9A-Za-z!_.*'()-]+",
    allowed="the name of a site in Remotion's bucket, or put its URL into REMOTION_SERVE_URL",
)
REMOTION_SERVE_URL = env.url(
    "REMOTION_SERVE_URL",
    allowed="a URL that begins with https:// or http://, or put the name of a site into REMOTION_SITE_NAME",
)
REMOTION_COMPOSITION = env.text(
    "REMOTION_COMPOSITION",
    default="DynamicComp",
    # https://www.remotion.dev/docs/composition#id
    pattern=r"[a-zA-Z0-9\u4E00-\u9FFF-]+",
    allowed="the id of a composition: letters, digits and hyphens",
)
REMOTION_BUCKET_NAME = env.text(
    "REMOTION_BUCKET_NAME",
    pattern=r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    allowed="the name of an S3 bucket: 3 to 63 lowercase letters, digits, hyphens and dots",
)
REMOTION_PRIVACY = env.choice("REMOTION_PRIVACY", "private", ("private", "public", "no-acl"))
# Remotion posts the outcome of a render to this URL, signed with the first of the comma-separated secrets;
# a delivery that is signed with any of them is accepted.
REMOTION_WEBHOOK_URL = env.url("REMOTION_WEBHOOK_URL")
REMOTION_WEBHOOK_SECRET = env.secret("REMOTION_WEBHOOK_SECRET")
# Companies' licence of Remotion; the function reports each render that succeeded to Remotion with it, as one of
# production unless the other says false. https://www.remotion.dev/docs/licensing
REMOTION_LICENSE_KEY = env.secret("REMOTION_LICENSE_KEY")
REMOTION_IS_PRODUCTION = env.boolean("REMOTION_IS_PRODUCTION", default=True)
# Functions that may run at a time over all renders: AWS's quota minus what other programs use of it.
REMOTION_CONCURRENCY = env.integer(
    "REMOTION_CONCURRENCY", default=200, minimum=1, maximum=100_000, unit="Lambda functions at a time"
)
REMOTION_MAX_CODE_LENGTH = env.integer(
    "REMOTION_MAX_CODE_LENGTH", default=200_000, minimum=1, maximum=1_000_000, unit="characters"
)
# Seconds without progress after which a render is shown as stalled; it is still refreshed.
REMOTION_STALL_SECONDS = env.integer(
    "REMOTION_STALL_SECONDS", default=120, minimum=1, maximum=86_400, unit="seconds, at most a day"
)
# Seconds to wait for the function's answer to a start; after that its outcome is unknown.
REMOTION_START_TIMEOUT = env.integer("REMOTION_START_TIMEOUT", default=60, minimum=1, maximum=900, unit="seconds")

# Variables that no line above reads, each with the nearest name that one does, or with "".
UNKNOWN_VARIABLES = env.unknown()
