"""How the admin looks, and what leads where: Unfold's settings. https://unfoldadmin.com/docs/configuration/settings/"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

# Tailwind's blue. White on 600, and 600 on white, have a contrast of 5.2.
BLUE = {
    "50": "oklch(97% .014 254.604)",
    "100": "oklch(93.2% .032 255.585)",
    "200": "oklch(88.2% .059 254.128)",
    "300": "oklch(80.9% .105 251.813)",
    "400": "oklch(70.7% .165 254.624)",
    "500": "oklch(62.3% .214 259.815)",
    "600": "oklch(54.6% .245 262.881)",
    "700": "oklch(48.8% .243 264.376)",
    "800": "oklch(42.4% .199 265.638)",
    "900": "oklch(37.9% .146 265.522)",
    "950": "oklch(28.2% .091 267.935)",
}


def allowed(*permissions: str) -> Callable[[HttpRequest], bool]:
    """Return what says whether the person signed in has all of these permissions."""
    return lambda request: request.user.has_perms(permissions)


def page(title: str, icon: str, address: str, permission: str = "") -> dict[str, Any]:
    """Return a line of the side navigation; without ``permission`` everybody sees it."""
    line = {"title": title, "icon": icon, "link": reverse_lazy(address)}
    return {**line, "permission": allowed(permission)} if permission else line


def table(title: str, icon: str, model: str, app: str = "renders") -> dict[str, Any]:
    """Return a line that leads to the list of a model, for those who may see it."""
    return page(title, icon, f"admin:{app}_{model}_changelist", f"{app}.view_{model}")


def is_list_of_renders(request: HttpRequest) -> bool:
    """Return whether this is the list or the page of a render, and not the form that starts one."""
    return request.path.startswith(str(reverse_lazy("admin:renders_render_changelist"))) and not is_start(request)


def is_start(request: HttpRequest) -> bool:
    return request.path == str(reverse_lazy("admin:renders_render_add"))


NAVIGATION = [
    {
        "items": [
            page("Dashboard", "monitoring", "admin:index"),
            {**table("Renders", "movie", "render"), "active": is_list_of_renders},
            {
                **page("Start a render", "play_circle", "admin:renders_render_add", "renders.add_render"),
                "active": is_start,
            },
            table("Batches", "stacks", "batch"),
            table("Templates", "dashboard_customize", "template"),
        ]
    },
    {
        "title": "Owners",
        "separator": True,
        "items": [
            table("Users", "person", "user", app="auth"),
            table("Quotas", "speed", "quota"),
            table("API keys", "key", "apikey"),
            table("Usage by day", "payments", "usageday"),
            table("Ledger entries", "receipt_long", "ledgerentry"),
        ],
    },
    {
        "title": "Webhooks",
        "separator": True,
        "items": [
            table("Webhook endpoints", "webhook", "webhookendpoint"),
            table("Webhook messages", "outgoing_mail", "webhookmessage"),
            table("Webhook deliveries", "move_to_inbox", "webhookdelivery"),
            table("Events", "history", "event"),
        ],
    },
    {
        "title": "Administration",
        "separator": True,
        "items": [
            table("Groups", "group", "group", app="auth"),
            page("API reference", "api", "swagger"),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "renderhub",
    "SITE_HEADER": "renderhub",
    "SITE_SUBHEADER": "Remotion renders",
    "SITE_SYMBOL": "movie",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("renders/favicon.svg")},
    ],
    "STYLES": [lambda request: static("renders/theme.css")],
    "SCRIPTS": [lambda request: static("renders/palette.js"), lambda request: static("renders/names.js")],
    "COLORS": {"primary": BLUE},
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": False,
    "DASHBOARD_CALLBACK": "renders.admin.dashboard.dashboard_callback",
    "COMMAND": {"search_callback": "renders.admin.command_search.results"},
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": NAVIGATION},
}
