from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from renders.admin.dashboard import dashboard_now

admin.site.index_title = "Dashboard"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/now/", admin.site.admin_view(dashboard_now), name="dashboard_now"),
    path("admin/", admin.site.urls),
    path("api/", include("renders.api.urls")),
]
if settings.SANDBOX_SIGN_IN_FILE:
    urlpatterns.append(path("sandbox/", include("renders.sandbox.urls")))

handler400 = "renders.api.errors.bad_request"
handler403 = "renders.api.errors.permission_denied"
handler404 = "renders.api.errors.not_found"
handler500 = "renders.api.errors.server_error"
