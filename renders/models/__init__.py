"""The rows: a render, what may happen to it, and what is noted beside it. No boto3, no HTTP."""

from renders.models.render import IllegalTransition, Render, RenderQuerySet
from renders.models.state import BucketScan, Refresh, RefreshQuerySet, WebhookDelivery, WebhookDeliveryQuerySet

__all__ = [
    "BucketScan",
    "IllegalTransition",
    "Refresh",
    "RefreshQuerySet",
    "Render",
    "RenderQuerySet",
    "WebhookDelivery",
    "WebhookDeliveryQuerySet",
]
