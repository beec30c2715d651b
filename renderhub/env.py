"""Typed reader of environment variables, on top of django-environ.

A value that cannot be used raises ImproperlyConfigured with one sentence: the variable, its value
and what is allowed. The value of a secret is left out. An empty variable stands for the default,
also where the file of settings has a value.
"""

import difflib
import io
import re
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

GENERATED_KEY_PREFIX = "django-insecure-generated-"
"""Django's own check for production refuses keys that begin with `django-insecure-`."""

TRUE = environ.Env.BOOLEAN_TRUE_STRINGS
FALSE = ("false", "off", "n", "no", "0")

OWN_PREFIXES = ("REMOTION_", "RENDERHUB_", "API_", "LAMBDA_API_")
SHARED_PREFIXES = ("DJANGO_", "DATABASE_", "CACHE_", "WEBHOOK_")
"""Other programs' variables begin like this too; only one that resembles a setting is a typo."""

DATABASES = (
    "postgres://user:password@host:port/name or sqlite:///path, with / ? # [ ] @ in a password"
    " as %2F %3F %23 %5B %5D %40"
)

CACHES = "redis://host:port/number, rediss://… for TLS, locmem:// for one process, or leave it empty for the database"
CACHE_BACKENDS = "django.core.cache.backends"

ENV_FILE_RULE = "settings are read from the file that RENDERHUB_ENV_FILE names, or else from .env beside manage.py."


class EnvironmentReader:
    """Reads settings from the environment and remembers their names."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        """The variables that were read, each of which is a setting."""

    def text(self, name: str, default: str = "", *, pattern: str, allowed: str) -> str:
        """Return a string that matches the whole pattern; ``allowed`` describes the pattern."""
        value = self._read(name)
        if value and not re.fullmatch(pattern, value):
            raise _refused(name, value, allowed)
        return value or default

    def texts(self, name: str, default: Sequence[str] = (), *, pattern: str, allowed: str) -> list[str]:
        """Return the parts of a comma-separated list, each of which matches the whole pattern."""
        values = [value for value in map(str.strip, self._read(name).split(",")) if value]
        for value in values:
            if not re.fullmatch(pattern, value):
                raise _refused(f"A part of {name}", value, allowed)
        return values or list(default)

    def choice(self, name: str, default: str, choices: Iterable[str]) -> str:
        """Return one of the choices, spelled as there; upper and lower case are equal."""
        spellings = {choice.lower(): choice for choice in choices}
        value = self._read(name) or default
        if value.lower() not in spellings:
            raise _refused(name, value, f"one of {', '.join(spellings.values())}")
        return spellings[value.lower()]

    def boolean(self, name: str, *, default: bool = False) -> bool:
        """Return True or False."""
        value = self._read(name).lower() or ("true" if default else "false")
        if value not in (*TRUE, *FALSE):
            raise _refused(name, value, "true or false")
        return value in TRUE

    def integer(self, name: str, default: int, *, minimum: int, maximum: int, unit: str) -> int:
        """Return a whole number within the limits, both of which are allowed."""
        value = self._read(name)
        try:
            number = int(value or default)
        except ValueError:
            number = minimum - 1
        if not minimum <= number <= maximum:
            raise _refused(name, value, f"a whole number from {minimum:,} to {maximum:,} ({unit})")
        return number

    def url(self, name: str, *, allowed: str = "a URL that begins with https:// or http://") -> str:
        """Return an HTTP URL or an empty string."""
        value = self._read(name)
        if value and not _is_http_url(value):
            # Before an @ there may be a password.
            raise _refused_secret(name, "is not a URL", allowed) if "@" in value else _refused(name, value, allowed)
        return value

    def secret(self, name: str) -> str:
        """Return a key, password or token, or an empty string; no message shows it."""
        value = self._read(name)
        if not re.fullmatch(r"[ -~]*", value):
            raise _refused_secret(name, "holds a character that is not allowed", "printable ASCII characters")
        return value

    def database(self, name: str, *, default: Path) -> dict[str, Any]:
        """Return an entry of Django's DATABASES for a URL; the default is the path of an SQLite file."""
        value = self._read(name)
        if not value:
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default)}
        if problem := _database_problem(value):
            raise _refused_secret(name, problem, DATABASES)
        return environ.Env.db_url_config(value)

    def cache(self, name: str, *, table: str) -> dict[str, Any]:
        """Return an entry of Django's CACHES for a URL; without one, the cache is this table of the database."""
        value = self._read(name)
        if not value:
            # Django counts the rows whenever it adds one, so there must not be many.
            options = {"MAX_ENTRIES": 10_000}
            return {"BACKEND": "renderhub.database_cache.CountingDatabaseCache", "LOCATION": table, "OPTIONS": options}
        if value == "locmem://":
            return {"BACKEND": f"{CACHE_BACKENDS}.locmem.LocMemCache"}
        if not _is_redis_url(value):
            raise _refused_secret(name, "is not the URL of a cache", CACHES)
        # Seconds; without them, a server that does not answer holds each request for minutes.
        timeouts = {"socket_connect_timeout": 1, "socket_timeout": 1}
        return {"BACKEND": f"{CACHE_BACKENDS}.redis.RedisCache", "LOCATION": value, "OPTIONS": timeouts}

    def unknown(self) -> dict[str, str]:
        """Return variables that look like a setting and are none, with the nearest setting or an empty string."""
        found = {}
        for name in sorted(set(environ.Env.ENVIRON) - self.names):
            nearest = difflib.get_close_matches(name.upper(), sorted(self.names), n=1, cutoff=0.8)
            if name.upper().startswith(OWN_PREFIXES) or (nearest and name.upper().startswith(SHARED_PREFIXES)):
                found[name] = nearest[0] if nearest else ""
        return found

    def _read(self, name: str) -> str:
        # Not by environ.Env.str(), which takes a value that begins with `$` as another variable's name:
        # one in fifty keys of Django's generator does.
        self.names.add(name)
        return str(environ.Env.ENVIRON.get(name, "")).strip()


env = EnvironmentReader()


def generate_secret_key() -> str:
    """Return a key for this process, which its sessions do not outlive and other processes do not accept."""
    return f"{GENERATED_KEY_PREFIX}{secrets.token_hex(32)}"


def read_env_file(path: Path) -> None:
    """Add the variables of a file to the environment, whose own values win.

    Raise ImproperlyConfigured for a file that cannot be read and for a line that django-environ
    would leave out, which it would also log with the secret that may be in it.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except OSError as err:
        raise ImproperlyConfigured(f"{path} cannot be read ({err.strerror}): {ENV_FILE_RULE}") from None
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{path} is not text in UTF-8: {ENV_FILE_RULE}") from None
    for number, line in enumerate(lines, 1):
        if line and not line.startswith("#") and not re.match(r"(export )?\w+=", line, re.ASCII):
            raise ImproperlyConfigured(f"Line {number} of {path} is not NAME=value or a comment that begins with #.")
    environ.Env.read_env(io.StringIO("\n".join(lines)))


def _refused(name: str, value: str, allowed: str) -> ImproperlyConfigured:
    shown = value if len(value) <= 100 else f"{value[:100]}…"
    return ImproperlyConfigured(f"{name} is {shown!r}: use {allowed}.")


def _refused_secret(name: str, problem: str, allowed: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} {problem}: use {allowed}.")


def _split_url(value: str) -> SplitResult | None:
    try:
        return urlsplit(value)
    except ValueError:
        return None


def _is_http_url(value: str) -> bool:
    url = _split_url(value)
    if url is None or url.scheme not in ("http", "https") or not url.hostname:
        return False
    return value.isprintable() and " " not in value and _is_host_and_port(url.netloc.rpartition("@")[2])


def _is_redis_url(value: str) -> bool:
    url = _split_url(value)
    if url is None or url.scheme not in ("redis", "rediss") or not url.hostname or not value.isprintable():
        return False
    number = url.path.strip("/") or "0"
    return number.isdigit() and not url.query and not url.fragment and _is_host_and_port(url.netloc.rpartition("@")[2])


def _database_problem(value: str) -> str:
    """Return what is wrong with a database's URL, as the rest of a sentence, or an empty string."""
    url = _split_url(value)
    if url is None or url.scheme not in ("postgres", "postgresql", "sqlite") or "://" not in value:
        return "is not the URL of a PostgreSQL or SQLite database"
    if url.scheme == "sqlite":
        is_file = not url.netloc and len(url.path) > 1 and not url.query and not url.fragment
        return "" if is_file else "names no file"
    if not all(map(_is_host_and_port, url.netloc.rpartition("@")[2].split(","))):
        return "has no valid host and port"
    if url.fragment or "@" in url.path + url.query or not unquote(value).isprintable():
        return "has a character that must be percent-encoded or left out"
    return "" if url.path.strip("/") else "names no database"


def _is_host_and_port(text: str) -> bool:
    match = re.fullmatch(r"(?:\[[\da-fA-F:.%]+\]|[^\[\]:]*)(?::(\d{1,5}))?", text, re.ASCII)
    return match is not None and (match[1] is None or 1 <= int(match[1]) <= 65535)
