"""The Django admin, one file a model."""

from renders.admin.api_key import ApiKeyAdmin
from renders.admin.quota import QuotaAdmin
from renders.admin.renders.model_admin import RenderAdmin
from renders.admin.template import TemplateAdmin
from renders.admin.webhook_delivery import WebhookDeliveryAdmin
from renders.admin.webhook_endpoint import WebhookEndpointAdmin
from renders.admin.webhook_message import WebhookMessageAdmin

__all__ = [
    "ApiKeyAdmin",
    "QuotaAdmin",
    "RenderAdmin",
    "TemplateAdmin",
    "WebhookDeliveryAdmin",
    "WebhookEndpointAdmin",
    "WebhookMessageAdmin",
]
