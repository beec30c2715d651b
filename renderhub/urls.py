from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

admin.site.site_header = admin.site.site_title = "renderhub"
admin.site.index_title = "Remotion renders"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:renders_render_changelist")),
    path("admin/", admin.site.urls),
    path("api/", include("renders.api.urls")),
]

handler400 = "renders.api.errors.bad_request"
handler403 = "renders.api.errors.permission_denied"
handler404 = "renders.api.errors.not_found"
handler500 = "renders.api.errors.server_error"
