"""API keys in the admin: make one, which is shown once; find and revoke them."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import ForeignKey, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminIntegerFieldWidget

from renders.admin.display import age, moment
from renders.admin.filters import OwnerFilter
from renders.admin.labels import label
from renders.admin.links import owner_link
from renders.admin.read_only import TableAdmin
from renders.models import ApiKey, Scope
from renders.services.api_keys import MAX_LIFETIME, create_api_key, revoke_key


class ApiKeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, f"{scope.value}: {scope.label}") for scope in Scope],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
        help_text="What the key may do at most. None: whatever its user may do.",
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=MAX_LIFETIME.days,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="After how many days the key expires. Empty: never.",
    )


@admin.register(ApiKey)
class ApiKeyAdmin(TableAdmin):
    """A key cannot be changed: make another one, and delete this, which revokes it."""

    form = ApiKeyForm
    list_display = ("name", "beginning", "user_link", "scopes_shown", "state", "created_shown", "last_used")
    list_select_related = ("user",)
    list_filter = (("user", OwnerFilter), "created", "last_used_at")
    list_filter_submit = True
    search_fields = ("name", "token_key", "user__username", "user__email")
    search_help_text = "A part of the name of the key or its user, or the beginning of the key"
    autocomplete_fields = ("user",)
    made_with = ("user", "name", "scopes", "days")
    fields = ("name", "beginning", "user_link", "scopes_shown", "state", "expires", "created", "last_used_at")

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return self.made_with if obj is None else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return () if obj is None else self.fields

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"user": request.user.pk, **super().get_changeform_initial_data(request)}

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **options: Any) -> Any:
        """Offer active users. A key of another staff user would give its maker what that user may do."""
        users = get_user_model().objects.filter(is_active=True)
        if not request.user.is_superuser:
            users = users.filter(Q(pk=request.user.pk) | Q(is_staff=False, is_superuser=False))
        return super().formfield_for_foreignkey(db_field, request, queryset=users, **options)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: ApiKeyForm, change: bool) -> None:
        days = form.cleaned_data["days"]
        lifetime = timedelta(days=days) if days else None
        made = {"user": obj.user, "name": obj.name, "scopes": form.cleaned_data["scopes"]}
        key, secret = create_api_key(**made, lifetime=lifetime)
        obj.pk, obj.token_key = key.pk, key.token_key
        obj.secret = secret  # for this one answer

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """Show the key in this answer, not after a redirect: a message would be stored in a cookie or the session."""
        context = {**self.admin_site.each_context(request), "title": "The new API key", "opts": self.opts, "key": obj}
        return TemplateResponse(request, "admin/renders/apikey/created.html", context)

    def delete_model(self, request: HttpRequest, obj: ApiKey) -> None:
        revoke_key(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            revoke_key(key)

    @admin.display(description="Begins with")
    def beginning(self, key: ApiKey) -> SafeString:
        return format_html("<code>{}…</code>", key.token_key)

    @admin.display(description="User")
    def user_link(self, key: ApiKey) -> SafeString | str:
        return owner_link(key.user)

    @admin.display(description="Scopes")
    def scopes_shown(self, key: ApiKey) -> str:
        return ", ".join(key.scopes) or "all that its user may do"

    @admin.display(description="State")
    def state(self, key: ApiKey) -> SafeString:
        """Return whether requests with the key are answered."""
        if not key.user.is_active:
            return label("User inactive", "danger", title="Requests with this key are answered 401.")
        if key.expiry is None:
            return label("Valid", "success", title="It does not expire.")
        if key.expiry <= timezone.now():
            return label("Expired", "danger", title=f"It expired on {moment(key.expiry)}.")
        return label("Valid", "success", title=f"Until {moment(key.expiry)}.")

    @admin.display(description="Expires")
    def expires(self, key: ApiKey) -> str:
        return "Never" if key.expiry is None else moment(key.expiry)

    @admin.display(description="Created")
    def created_shown(self, key: ApiKey) -> SafeString | str:
        return age(key.created)

    @admin.display(description="Last used", empty_value="Never")
    def last_used(self, key: ApiKey) -> SafeString | str | None:
        return age(key.last_used_at) if key.last_used_at else None
