"""The tables, one a file, and ``transitions``: what may happen to a render. No boto3, no HTTP."""

from renders.models.api_key import ApiKey, Scope
from renders.models.batch import Batch
from renders.models.bucket_scan import BucketScan
from renders.models.end_count import NO_BUCKET, EndCount, EndKey
from renders.models.event import Event, EventCursor
from renders.models.merged_query import MergedQuery, Scan
from renders.models.quota import Quota
from renders.models.refresh_state import RefreshState
from renders.models.render import Render
from renders.models.render_metadata import RenderMetadata
from renders.models.render_query_set import RenderQuerySet
from renders.models.render_text import RenderText, has_words
from renders.models.template import Template
from renders.models.usage import LedgerEntry, UsageDay
from renders.models.webhook_delivery import WebhookDelivery, WebhookDeliveryQuerySet
from renders.models.webhook_endpoint import WebhookEndpoint, WebhookEndpointQuerySet
from renders.models.webhook_message import WebhookAttempt, WebhookMessage, WebhookMessageQuerySet
from renders.models.worker_heartbeat import WorkerHeartbeat

__all__ = [
    "NO_BUCKET",
    "ApiKey",
    "Batch",
    "BucketScan",
    "EndCount",
    "EndKey",
    "Event",
    "EventCursor",
    "LedgerEntry",
    "MergedQuery",
    "Quota",
    "RefreshState",
    "Render",
    "RenderMetadata",
    "RenderQuerySet",
    "RenderText",
    "Scan",
    "Scope",
    "Template",
    "UsageDay",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookDeliveryQuerySet",
    "WebhookEndpoint",
    "WebhookEndpointQuerySet",
    "WebhookMessage",
    "WebhookMessageQuerySet",
    "WorkerHeartbeat",
    "has_words",
]
