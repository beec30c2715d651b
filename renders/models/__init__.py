"""The tables, one a file, and ``transitions``: what may happen to a render. No boto3, no HTTP."""

from renders.models.bucket_scan import BucketScan
from renders.models.refresh_state import RefreshState
from renders.models.render import Render
from renders.models.render_query_set import RenderQuerySet
from renders.models.template import Template
from renders.models.webhook_delivery import WebhookDelivery, WebhookDeliveryQuerySet

__all__ = [
    "BucketScan",
    "RefreshState",
    "Render",
    "RenderQuerySet",
    "Template",
    "WebhookDelivery",
    "WebhookDeliveryQuerySet",
]
