"""The Django admin, one file a model."""

from renders.admin.api_key import ApiKeyAdmin
from renders.admin.batch import BatchAdmin
from renders.admin.event import EventAdmin
from renders.admin.quota import QuotaAdmin
from renders.admin.renders.model_admin import RenderAdmin
from renders.admin.template import TemplateAdmin
from renders.admin.usage import LedgerEntryAdmin, UsageDayAdmin
from renders.admin.user import GroupAdmin, UserAdmin
from renders.admin.webhook_delivery import WebhookDeliveryAdmin
from renders.admin.webhook_endpoint import WebhookEndpointAdmin
from renders.admin.webhook_message import WebhookMessageAdmin

__all__ = [
    "ApiKeyAdmin",
    "BatchAdmin",
    "EventAdmin",
    "GroupAdmin",
    "LedgerEntryAdmin",
    "QuotaAdmin",
    "RenderAdmin",
    "TemplateAdmin",
    "UsageDayAdmin",
    "UserAdmin",
    "WebhookDeliveryAdmin",
    "WebhookEndpointAdmin",
    "WebhookMessageAdmin",
]
