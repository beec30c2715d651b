"""What the buttons of a render's page do. Each press is written into the admin's log."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path

from renders.admin.audit import record
from renders.admin.display import moment
from renders.admin.links import page_of
from renders.admin.renders.actions import REFUSALS, RenderActions, cancel, refresh, repeat
from renders.models import Render
from renders.services.outputs import link_to_output
from renders.services.webhooks.replay import replay_last_event

Press = Callable[[HttpRequest, Render], HttpResponse]


class RenderPresses(RenderActions):
    """An address for each button. What is refused is told on the render's page."""

    def get_urls(self) -> list[URLPattern]:
        presses = (
            self._url("refresh", self._refresh),
            self._url("cancel", self._cancel, permission="change"),
            self._url("repeat", self._repeat, permission="change"),
            self._url("webhook", self._send_webhook, permission="change"),
            self._url("download", self._download, method="GET"),
            self._url("link", self._link),
        )
        return [*presses, *super().get_urls()]

    def _url(self, name: str, press: Press, *, permission: str = "view", method: str = "POST") -> URLPattern:
        def view(request: HttpRequest, pk: str) -> HttpResponse:
            if not self.has_view_permission(request) or not request.user.has_perm(f"renders.{permission}_render"):
                raise PermissionDenied
            if request.method != method:
                return HttpResponseNotAllowed([method])
            render = get_object_or_404(Render, pk=pk)
            try:
                return press(request, render)
            except REFUSALS as err:
                return self._refused(request, render, err)

        return path(f"<uuid:pk>/{name}/", self.admin_site.admin_view(view), name=f"renders_render_{name}")

    def _refused(self, request: HttpRequest, render: Render, error: Exception) -> HttpResponse:
        if request.accepts("text/html"):
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(page_of(render))
        return JsonResponse({"error": str(error)}, status=409)

    def _refresh(self, request: HttpRequest, render: Render) -> HttpResponse:
        for result in refresh(request, [render]):
            if result.error:
                self.message_user(request, str(result.error), messages.ERROR)
            else:
                self.tell(request, f"Refreshed: it is {result.render.get_status_display().lower()}.")
        return HttpResponseRedirect(page_of(render))

    def _cancel(self, request: HttpRequest, render: Render) -> HttpResponse:
        is_over = cancel(request, render).is_terminal
        self.tell(
            request, "It is cancelled." if is_over else "It is being cancelled: Remotion is asked within seconds."
        )
        return HttpResponseRedirect(page_of(render))

    def _repeat(self, request: HttpRequest, render: Render) -> HttpResponse:
        created = repeat(request, render)
        self.tell(request, "It is repeated as this render, which is queued: a worker starts it.")
        return HttpResponseRedirect(page_of(created))

    def _send_webhook(self, request: HttpRequest, render: Render) -> HttpResponse:
        queued, refused = replay_last_event(render)
        for message in queued:
            record(request, [render], f"Sent the webhook {message.type} to {message.url} again.")
        self.tell_errors(request, refused)
        told = f"{len(queued)} queued: a worker sends them." if queued else ""
        self.tell(request, told or "No webhook was sent again.")
        return HttpResponseRedirect(page_of(render))

    def _download(self, request: HttpRequest, render: Render) -> HttpResponse:
        link = link_to_output(render, file_name=render.out_name)
        record(request, [render], "Downloaded the output.")
        return HttpResponseRedirect(link.url)

    def _link(self, request: HttpRequest, render: Render) -> HttpResponse:
        """Answer a link as JSON, for the script that copies it."""
        link = link_to_output(render)
        until = moment(link.expires_at)
        record(request, [render], f"Copied a link to the output that works until {until}.")
        said = f"Copied. Whoever has the link sees the output, until {until}."
        return JsonResponse({"url": link.url, "said": said})
