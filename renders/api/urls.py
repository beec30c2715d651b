from django.urls import re_path
from rest_framework.routers import SimpleRouter

from renders.api.views import LambdaProgressView, LambdaRenderView, LambdaWebhookView, RenderViewSet

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("renders", RenderViewSet, basename="render")

urlpatterns = [
    re_path(r"^lambda/render/?$", LambdaRenderView.as_view(), name="lambda-render"),
    re_path(r"^lambda/progress/?$", LambdaProgressView.as_view(), name="lambda-progress"),
    re_path(r"^lambda/webhook/?$", LambdaWebhookView.as_view(), name="lambda-webhook"),
    *router.urls,
]
