"""The Django admin, one file a model."""

from renders.admin.render import RenderAdmin
from renders.admin.template import TemplateAdmin
from renders.admin.webhook_delivery import WebhookDeliveryAdmin

__all__ = ["RenderAdmin", "TemplateAdmin", "WebhookDeliveryAdmin"]
