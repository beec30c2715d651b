"""The addresses of the API, each with and without a trailing slash."""

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from renders.api.account.views import AccountView
from renders.api.batches.views import BatchViewSet
from renders.api.incoming_webhooks.views import LambdaWebhookView
from renders.api.keys.views import KeyViewSet
from renders.api.lambda_endpoints.views import LambdaProgressView, LambdaRenderView
from renders.api.openapi.views import RedocView, SchemaView, SwaggerView
from renders.api.options.views import OptionsView
from renders.api.renders.views import RenderViewSet
from renders.api.streams.views import EventsView, RenderEventsView
from renders.api.templates.views import TemplateViewSet
from renders.api.usage.views import UsageView
from renders.api.webhook_endpoints.views import WebhookEndpointViewSet

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("renders", RenderViewSet, basename="render")
router.register("batches", BatchViewSet, basename="batch")
router.register("keys", KeyViewSet, basename="key")
router.register("webhook-endpoints", WebhookEndpointViewSet, basename="webhook-endpoint")
router.register("templates", TemplateViewSet, basename="template")

urlpatterns = [
    re_path(r"^lambda/render/?$", LambdaRenderView.as_view(), name="lambda-render"),
    re_path(r"^lambda/progress/?$", LambdaProgressView.as_view(), name="lambda-progress"),
    re_path(r"^lambda/webhook/?$", LambdaWebhookView.as_view(), name="lambda-webhook"),
    re_path(r"^options/?$", OptionsView.as_view(), name="options"),
    re_path(r"^schema/?$", SchemaView.as_view(), name="openapi"),
    re_path(r"^docs/?$", SwaggerView.as_view(), name="swagger"),
    re_path(r"^redoc/?$", RedocView.as_view(), name="redoc"),
    re_path(r"^events/?$", EventsView.as_view(), name="events"),
    re_path(r"^renders/(?P<pk>[^/.]+)/events/?$", RenderEventsView.as_view(), name="render-events"),
    re_path(r"^usage/?$", UsageView.as_view(), name="usage"),
    re_path(r"^account/?$", AccountView.as_view(), name="account"),
    *router.urls,
]
