"""Who asks, and what they may do."""

from renders.api.auth.authentication import ApiKeyAuthentication, SessionAuthentication
from renders.api.auth.permissions import (
    ADD_TEMPLATE,
    CHANGE,
    CHANGE_TEMPLATE,
    DELETE,
    PRIORITY,
    VIEW,
    VIEW_TEMPLATE,
    ApiPermission,
    RenderPermission,
    TemplatePermission,
    may_see_all_templates,
)
from renders.api.auth.scopes import ANY_KEY, ScopeMissing, require_own_or_unlimited_key

__all__ = [
    "ADD_TEMPLATE",
    "ANY_KEY",
    "CHANGE",
    "CHANGE_TEMPLATE",
    "DELETE",
    "PRIORITY",
    "VIEW",
    "VIEW_TEMPLATE",
    "ApiKeyAuthentication",
    "ApiPermission",
    "RenderPermission",
    "ScopeMissing",
    "SessionAuthentication",
    "TemplatePermission",
    "may_see_all_templates",
    "require_own_or_unlimited_key",
]
