"""The addresses of the API, each with and without a trailing slash."""

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from renders.api.incoming_webhooks.views import LambdaWebhookView
from renders.api.lambda_endpoints.views import LambdaProgressView, LambdaRenderView
from renders.api.options.views import OptionsView
from renders.api.renders.views import RenderViewSet
from renders.api.templates.views import TemplateViewSet

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("renders", RenderViewSet, basename="render")
router.register("templates", TemplateViewSet, basename="template")

urlpatterns = [
    re_path(r"^lambda/render/?$", LambdaRenderView.as_view(), name="lambda-render"),
    re_path(r"^lambda/progress/?$", LambdaProgressView.as_view(), name="lambda-progress"),
    re_path(r"^lambda/webhook/?$", LambdaWebhookView.as_view(), name="lambda-webhook"),
    re_path(r"^options/?$", OptionsView.as_view(), name="options"),
    *router.urls,
]
