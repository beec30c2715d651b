"""System checks of the settings: what works, but is probably a mistake or unwise in production.

A value that cannot work at all is refused when the settings are read (renderhub/env.py).
"""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004
from django.http.request import split_domain_port, validate_host

from renders.remotion.errors import SetupError
from renders.remotion.site import configured_site
from renders.remotion.target import LambdaTarget
from renders.remotion.versions import TRIED_VERSIONS, version_in_name
from renders.remotion.webhook import WebhookSettings

ENVIRONMENT = "environment"
"""Tag of the checks whose messages a web server logs when it starts."""

WEBHOOK_PATH = "/api/lambda/webhook"
SHORTEST_SECRET = 32


@register(ENVIRONMENT)
def check_unknown_variables(**kwargs: Any) -> list[CheckMessage]:
    """Find misspelt variables, which are ignored."""
    return [
        Warning(
            f"The environment variable {name} is set, but there is no such setting.",
            hint=f"Did you mean {nearest}?" if nearest else "The file .env.example lists the settings.",
            id="renders.W010",
        )
        for name, nearest in settings.UNKNOWN_VARIABLES.items()
    ]


@register(ENVIRONMENT, deploy=True)
def check_secret_key(**kwargs: Any) -> list[CheckMessage]:
    """Warn of a key that each process generates for itself."""
    if not settings.SECRET_KEY_IS_GENERATED:
        return []
    return [
        Warning(
            "DJANGO_SECRET_KEY is not set: this process has generated a key, so sign-ins end with the process"
            " and are not valid in another one.",
            hint="Set it to a long random string, the same for all processes.",
            id="renders.W009",
        )
    ]


@register(Tags.security, deploy=True)
def check_setup(**kwargs: Any) -> list[CheckMessage]:
    """Warn of what is missing to start a render."""
    messages: list[CheckMessage] = []
    for require in (LambdaTarget.from_settings().require_credentials, configured_site):
        try:
            require()
        except SetupError as err:
            messages.append(Warning(str(err), hint="Until then, no video can be rendered.", id="renders.W001"))
    return messages


@register(Tags.compatibility)
def check_version(**kwargs: Any) -> list[CheckMessage]:
    """Warn of a function with a version of Remotion that this service was not tried with."""
    version = version_in_name(settings.REMOTION_FUNCTION_NAME)
    if not version or version in TRIED_VERSIONS:
        return []
    return [
        Warning(
            f"REMOTION_FUNCTION_NAME has version {version} of Remotion, which this service was not tried with.",
            hint=f"It probably works; try it with `python -m tests.compatibility {version}`. Tried were"
            f" {', '.join(TRIED_VERSIONS)}: see docs/remotion-versions.md.",
            id="renders.W011",
        )
    ]


@register(Tags.security, deploy=True)
def check_exposure(**kwargs: Any) -> list[CheckMessage]:
    """Warn of renders and videos that are open to everybody."""
    messages: list[CheckMessage] = []
    if settings.API_ALLOW_ANONYMOUS:
        messages.append(
            Warning(
                "API_ALLOW_ANONYMOUS is on: everybody who can reach the API can render at your expense.",
                hint="Switch it off, and sign in with a session or an API key.",
                id="renders.W002",
            )
        )
    if settings.REMOTION_PRIVACY == "public":
        messages.append(
            Warning(
                "REMOTION_PRIVACY is public: everybody who has or guesses the URL of a video can see it.",
                hint="Use private: the API answers with signed URLs.",
                id="renders.W003",
            )
        )
    if settings.WEBHOOK_ALLOW_PRIVATE:
        messages.append(
            Warning(
                "WEBHOOK_ALLOW_PRIVATE is on: whoever makes a webhook endpoint can send requests into your network.",
                hint="Switch it off; it is meant for development.",
                id="renders.W014",
            )
        )
    return messages


@register(Tags.caches, deploy=True)
def check_cache(**kwargs: Any) -> list[CheckMessage]:
    """Warn of limits that each process counts for itself."""
    rates = (settings.API_RATE_CREATE, settings.API_RATE_READ, settings.API_RATE_WEBHOOK)
    if not any(rates) or not settings.CACHES["default"]["BACKEND"].endswith(".LocMemCache"):
        return []
    return [
        Warning(
            "CACHE_URL is locmem://, so each process counts requests for itself, and lets API_RATE_… of them through.",
            hint="Leave it empty, which counts in the database, or name a Redis server.",
            id="renders.W013",
        )
    ]


@register(Tags.security, deploy=True)
def check_webhook_secret(**kwargs: Any) -> list[CheckMessage]:
    """Warn of a webhook without a secret, and of a secret that can be guessed."""
    webhook = WebhookSettings.from_settings()
    if webhook.url and not webhook.secrets:
        return [
            Warning(
                "REMOTION_WEBHOOK_URL is set without REMOTION_WEBHOOK_SECRET: renders start without a webhook.",
                hint="Set a long random secret, by which forged deliveries are told from Remotion's.",
                id="renders.W004",
            )
        ]
    if any(len(secret) < SHORTEST_SECRET for secret in webhook.secrets):
        return [
            Warning(
                f"REMOTION_WEBHOOK_SECRET holds a secret of fewer than {SHORTEST_SECRET} characters.",
                hint="Use a long random one: whoever guesses it can forge deliveries.",
                id="renders.W008",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def check_webhook_url(**kwargs: Any) -> list[CheckMessage]:
    """Warn of a webhook URL at which deliveries are readable on their way, or do not arrive."""
    url = WebhookSettings.from_settings().url
    if not url:
        return []
    messages: list[CheckMessage] = []
    if not url.lower().startswith("https://"):
        messages.append(
            Warning(
                "REMOTION_WEBHOOK_URL does not begin with https://.",
                hint=f"Use https://<your host>{WEBHOOK_PATH}: deliveries name renders and their outputs.",
                id="renders.W005",
            )
        )
    host, _ = split_domain_port(url.partition("://")[2].partition("/")[0])
    if host and not validate_host(host, settings.ALLOWED_HOSTS):
        messages.append(
            Warning(
                f"The host of REMOTION_WEBHOOK_URL, {host}, is not in DJANGO_ALLOWED_HOSTS: deliveries are refused.",
                hint="Add it, unless your proxy passes them on with another Host header.",
                id="renders.W006",
            )
        )
    if not url.partition("?")[0].rstrip("/").endswith(WEBHOOK_PATH):
        messages.append(
            Warning(
                f"The path of REMOTION_WEBHOOK_URL does not end in {WEBHOOK_PATH}: deliveries are answered with 404.",
                hint=f"Use https://<your host>{WEBHOOK_PATH}, unless your proxy changes the path.",
                id="renders.W007",
            )
        )
    return messages
