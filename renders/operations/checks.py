"""System checks of the settings, so that a mistake is told at start and not by a failing render."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.http.request import split_domain_port, validate_host

from renders.remotion.config import RemotionConfig
from renders.remotion.errors import SetupError
from renders.remotion.pricing import PRICES

PRIVACIES = ("private", "public", "no-acl")
NUMBERS = {
    # https://www.remotion.dev/docs/lambda/deployfunction
    "REMOTION_RAM": (512, 10240, "MB of memory"),
    "REMOTION_DISK": (512, 10240, "MB of disk"),
    "REMOTION_TIMEOUT": (15, 900, "seconds"),
    "REMOTION_START_TIMEOUT": (1, 900, "seconds"),
    "REMOTION_STALL_SECONDS": (1, 86_400, "seconds"),
    "REMOTION_CONCURRENCY": (1, 100_000, "functions"),
    "REMOTION_MAX_CODE_LENGTH": (1, 1_000_000, "characters"),
}


@register(Tags.compatibility)
def check_values(**kwargs: Any) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    if settings.REMOTION_REGION not in PRICES:
        messages.append(
            Error(
                f"REMOTION_REGION is {settings.REMOTION_REGION!r}, where Remotion Lambda does not run.",
                hint=f"Use one of {', '.join(PRICES)}.",
                id="renders.E001",
            )
        )
    if settings.REMOTION_PRIVACY not in PRIVACIES:
        messages.append(
            Error(
                f"REMOTION_PRIVACY is {settings.REMOTION_PRIVACY!r}.",
                hint=f"Use one of {', '.join(PRIVACIES)}.",
                id="renders.E002",
            )
        )
    for name, (least, most, unit) in NUMBERS.items():
        if not least <= getattr(settings, name) <= most:
            messages.append(
                Error(
                    f"{name} is {getattr(settings, name)}.",
                    hint=f"Use {least:,} to {most:,} {unit}.",
                    id="renders.E003",
                )
            )
    return messages


@register(Tags.security, deploy=True)
def check_deployment(**kwargs: Any) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    config = RemotionConfig.from_settings()
    for require in (config.require_credentials, config.require_site):
        try:
            require()
        except SetupError as err:
            messages.append(checks.Warning(str(err), hint="No video can be rendered before.", id="renders.W001"))
    if settings.API_ALLOW_ANONYMOUS:
        messages.append(
            checks.Warning(
                "API_ALLOW_ANONYMOUS is on: whoever reaches the API renders on your account.",
                hint="Switch it off; sign in with a session or a token.",
                id="renders.W002",
            )
        )
    if settings.REMOTION_PRIVACY == "public":
        messages.append(
            checks.Warning(
                "REMOTION_PRIVACY is public: whoever has or guesses a video's address can see it.",
                hint="Use private: the API answers with signed URLs.",
                id="renders.W003",
            )
        )
    if config.webhook_url and not config.webhook_secrets:
        messages.append(
            checks.Warning(
                "REMOTION_WEBHOOK_URL is set without REMOTION_WEBHOOK_SECRET: renders start without a webhook.",
                hint="Set a long random secret: without one, deliveries cannot be told from forged ones.",
                id="renders.W004",
            )
        )
    if config.webhook_url and not config.webhook_url.lower().startswith("https://"):
        messages.append(
            checks.Warning(
                "REMOTION_WEBHOOK_URL is not https.",
                hint="Use https://<your host>/api/lambda/webhook: deliveries name renders and their outputs.",
                id="renders.W005",
            )
        )
    host, _ = split_domain_port(config.webhook_url.partition("://")[2].partition("/")[0])
    if host and not validate_host(host, settings.ALLOWED_HOSTS):
        messages.append(
            checks.Warning(
                f"The host of REMOTION_WEBHOOK_URL, {host}, is not in DJANGO_ALLOWED_HOSTS: deliveries are refused.",
                hint="Add it, unless your proxy sends them on with another Host.",
                id="renders.W006",
            )
        )
    return messages
