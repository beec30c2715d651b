"""Start a render in the admin: choose a template, fill in its form, see what it would cost, start it."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from renders.admin.audit import record
from renders.admin.display import money
from renders.admin.read_only import ReadOnlyAdmin
from renders.admin.renders.start_forms import Source, StartForms
from renders.models import Render, Template
from renders.remotion.errors import InvalidOptions, RemotionError
from renders.services.create import Created, create_render
from renders.services.dry_run import DryRun
from renders.services.errors import KeyInUse, KeyReused, Refused
from renders.services.idempotency import RESERVED_KEY_PREFIX
from renders.services.quotas import function_limits
from renders.services.render_request import RenderRequest
from renders.services.templates.lookup import find_template
from renders.services.webhooks.endpoints import render_urls_endpoint

MAX_TEMPLATES = 1000
SENT_BEFORE = "This form has been sent already, and this is its render. To start another one, open the form anew."
NO_SUCH_RENDER = "There is no such render to repeat."


class RenderStart(ReadOnlyAdmin):
    """The page behind "Add". The worker starts what it queues."""

    start_template = "admin/renders/render/start.html"
    summary_template = "admin/renders/render/start_summary.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        try:
            source = self._source(request)
        except Refused as err:
            self.message_user(request, str(err), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:renders_render_add"))
        if request.method != "POST":
            return self._page(request, StartForms(source, user=request.user))
        forms = StartForms(source, user=request.user, data=request.POST, as_json="props" in request.POST)
        if "_json" in request.POST or "_fields" in request.POST:
            return self._other_input(request, forms)
        result = forms.check()
        if "_summary" in request.POST:
            context = {**_summary(forms, result), "is_untouched": "_untouched" in request.POST}
            return TemplateResponse(request, self.summary_template, context)
        if "_start" in request.POST and forms.request and not forms.has_errors:
            try:
                return self._start(request, forms, forms.request)
            except (Refused, RemotionError, InvalidOptions) as err:
                forms.refuse(err)
        return self._page(request, forms, result)

    def _source(self, request: HttpRequest) -> Source:
        """Return what the address names. Raise Refused."""
        repeated = self._repeated(request)
        name = request.GET.get("template")
        if name is None:
            return Source(repeated.template if repeated else None, repeated)
        return Source(find_template(name) if name else None, repeated)

    def _repeated(self, request: HttpRequest) -> Render | None:
        """Return the render to repeat; None if there is none. Raise Refused, PermissionDenied."""
        if not (text := request.GET.get("repeat")):
            return None
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            render = Render.objects.select_related("template", "owner").filter(pk=text).first()
        except ValidationError:
            render = None
        if render is None:
            raise Refused(NO_SUCH_RENDER)
        return render

    def _start(self, request: HttpRequest, forms: StartForms, asked: RenderRequest) -> HttpResponse:
        """Queue the render and go to its page; the same form, sent again, goes to the same page. Raise what refuses."""
        owner, repeated = forms.start.render_owner, forms.source.repeated
        key = f"{RESERVED_KEY_PREFIX}admin {forms.key}"
        try:
            if asked.webhook_url:
                render_urls_endpoint(owner)
            created = create_render(
                owner=owner,
                request=asked,
                priority=forms.start.cleaned_data["priority"],
                may_wait=True,
                start_now=False,
                retry_of=repeated,
                idempotency_key=key,
            )
        except KeyInUse:
            created = Created(Render.objects.with_key(key, owner=owner).get(), is_replayed=True)
        except KeyReused:
            return self._sent_with_other_values(request, forms, Render.objects.with_key(key, owner=owner).first())
        self._tell_start(request, created, repeated)
        return HttpResponseRedirect(self._address_of(request, created.render))

    def _tell_start(self, request: HttpRequest, created: Created, repeated: Render | None) -> None:
        if created.is_replayed:
            self.message_user(request, SENT_BEFORE, messages.WARNING)
            return
        if created.is_reused:
            record(request, [created.render], "Asked for again with the form, and answered with this render.")
            self.message_user(request, "An earlier render is the same: nothing new was started.", messages.INFO)
            return
        record(
            request,
            [created.render],
            "Started with the form." if not repeated else f"Started as a repeat of {repeated.pk}.",
        )
        if repeated:
            record(request, [repeated], f"Repeated with changes as {created.render.pk}.")
        self.message_user(request, "The render is queued: the worker starts it.", messages.SUCCESS)

    def _sent_with_other_values(self, request: HttpRequest, forms: StartForms, first: Render | None) -> HttpResponse:
        """Show the form with a new key: going back and pressing the button with other values means another render."""
        forms.start.data = {**forms.start.data.dict(), "key": ""}  # type: ignore[attr-defined]
        sentence = "This form has started a render already. Press Start again to start another one with these values."
        if first and self.has_view_permission(request):
            sentence = format_html('{} <a href="{}">The first one</a>', sentence, self._address_of(request, first))
        forms.start.add_error(None, sentence)
        return self._page(request, forms)

    def _address_of(self, request: HttpRequest, render: Render) -> str:
        if self.has_view_permission(request, render):
            return reverse("admin:renders_render_change", args=[render.pk])
        return reverse("admin:index")

    def _other_input(self, request: HttpRequest, forms: StartForms) -> HttpResponse:
        """Show the same values with the input props as JSON, or as fields again."""
        if not forms.props.errors:
            show = forms.show_as_json if "_json" in request.POST else forms.show_as_fields
            show()
        return self._page(request, forms)

    def _page(self, request: HttpRequest, forms: StartForms, result: DryRun | None = None) -> HttpResponse:
        templates = Template.objects.filter(enabled=True).values_list("name", "title")[:MAX_TEMPLATES]
        chosen, repeated = forms.source.template, forms.source.repeated
        names = {name: f"{name}: {title}" if title else name for name, title in templates}
        if chosen:
            names.setdefault(chosen.name, f"{chosen.name} (disabled)" if not chosen.enabled else chosen.name)
        query: dict[str, str] = {
            "template": chosen.name if chosen else "",
            **({"repeat": str(repeated.pk)} if repeated else {}),
        }
        context = {
            **self.admin_site.each_context(request),
            **_summary(forms, result),
            "title": "Repeat a render with changes" if repeated else "Start a render",
            "opts": self.opts,
            "media": forms.start.media,
            "template": chosen,
            "repeated": repeated,
            "template_names": names,
            "default_composition": settings.REMOTION_COMPOSITION,
            "post_address": f"{reverse('admin:renders_render_add')}?{urlencode(query)}",
            "preserved_filters": self.get_preserved_filters(request),
        }
        return TemplateResponse(request, self.start_template, context)


def _summary(forms: StartForms, result: DryRun | None) -> dict[str, Any]:
    """Return what the page says beside the form: slots, cost, warnings, errors."""
    context: dict[str, Any] = {"forms": forms, "result": result, "errors": forms.errors if forms.start.is_bound else []}
    if result and result.render:
        cost = result.estimated_cost
        context |= {
            "cost": "Unknown" if cost is None else money(cost, result.currency),
            "slots": result.render.slots_needed,
            "all_slots": settings.REMOTION_CONCURRENCY,
            "owner": result.render.owner,
            "owner_slots": function_limits([result.render.owner_id])[result.render.owner_id],
            "length": _length(result.render),
        }
    return context


def _length(render: Render) -> str:
    """Return how long the output will be, as far as it is known."""
    if render.kind == Render.Kind.STILL:
        return "1 picture"
    if not render.duration_in_frames:
        return "Known when it renders"
    frames = f"{render.duration_in_frames:,} frames"
    return f"{frames}, {render.duration_in_frames / render.fps:,.1f} s" if render.fps else frames
