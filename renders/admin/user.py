"""Users in the admin: find them, what is theirs, and what they may do."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from renders.admin.display import NOTHING, age, money
from renders.admin.labels import label
from renders.admin.links import list_link, row_link
from renders.admin.theme import ModelAdmin
from renders.models import ApiKey, Batch, Quota, Render, UsageDay
from renders.services.json_schema.values import counted

admin.site.unregister(User)
admin.site.unregister(Group)

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")
THEIRS = ("renders_link", "batches_link", "usage_shown", "quota_link", "keys_link", "endpoints_link")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    """Owners of renders, and people who use the admin."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "name", "role", "renders_link", "last_login_shown")
    list_filter = ("is_active", "is_staff", "is_superuser")
    filter_horizontal = ()
    search_fields = ("username", "email", "first_name", "last_name")
    search_help_text = "A part of the user name, name or e-mail address"
    readonly_fields = (*THEIRS, "last_login_shown", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("What is theirs", {"fields": THEIRS}),
        ("Person", {"fields": (("first_name", "last_name"), "email")}),
        (
            "What they may do",
            {
                "fields": ("is_active", *RIGHTS),
                "description": "Whoever is active may use the API with their own renders. The admin is for staff, and"
                " shows them what their permissions or groups allow.",
            },
        ),
        ("Times", {"fields": (("last_login_shown", "date_joined"),)}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        return self.add_fieldsets if obj is None else self.fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only a superuser gives rights: others would give them to themselves."""
        return self.readonly_fields if request.user.is_superuser else (*self.readonly_fields, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody but a superuser changes others who use the admin: with a new password one has their permissions."""
        return super().has_change_permission(request, obj) and _may_touch(request.user, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Each by itself, and only one without renders: whoever has some is made inactive."""
        if not isinstance(obj, User) or not super().has_delete_permission(request, obj):
            return False
        if not _may_touch(request.user, obj):
            return False
        return not any(model.objects.filter(owner=obj).exists() for model in (Render, Batch, UsageDay))

    @admin.display(description="Name")
    def name(self, user: User) -> str:
        return user.get_full_name() or NOTHING

    @admin.display(description="Role")
    def role(self, user: User) -> SafeString:
        if not user.is_active:
            return label("Inactive", "danger", title="They can neither sign in nor use the API.")
        if user.is_superuser:
            return label("Superuser", "warning", title="May do everything.")
        if user.is_staff:
            return label("Staff", "info", title="May use the admin.")
        return label("Customer", title="Uses the API with their own renders.")

    @admin.display(description="Last sign-in")
    def last_login_shown(self, user: User) -> SafeString | str:
        return age(user.last_login)

    @admin.display(description="Renders")
    def renders_link(self, user: User) -> SafeString:
        return list_link("Renders", "render", owner__id__exact=user.pk)

    @admin.display(description="Batches")
    def batches_link(self, user: User) -> SafeString:
        return list_link("Batches", "batch", owner__id__exact=user.pk)

    @admin.display(description="Quota")
    def quota_link(self, user: User) -> SafeString:
        quota = Quota.objects.filter(owner=user).first()
        if quota:
            return row_link("Their own", "quota", quota.pk)
        quota = Quota.objects.filter(owner=None).first()
        return row_link("That of everybody else", "quota", quota.pk) if quota else format_html("{}", "No limits")

    @admin.display(description="API keys")
    def keys_link(self, user: User) -> SafeString:
        count = ApiKey.objects.filter(user=user).count()
        return list_link(counted(count, "key"), "apikey", user__id__exact=user.pk)

    @admin.display(description="Webhook endpoints")
    def endpoints_link(self, user: User) -> SafeString:
        count = user.webhook_endpoints.count()
        return list_link(counted(count, "endpoint"), "webhookendpoint", owner__id__exact=user.pk)

    @admin.display(description="Usage")
    def usage_shown(self, user: User) -> SafeString:
        """Return what this month's renders and last month's have cost, each with a link to its days."""
        this = timezone.now().date().replace(day=1)
        last = (this - timedelta(days=1)).replace(day=1)
        rows = []
        for first, following in ((this, this + timedelta(days=32)), (last, this)):
            days = UsageDay.objects.filter(owner=user, day__gte=first, day__lt=following)
            sums = days.order_by().values("currency").annotate(cost=Sum("cost"), renders=Sum("renders"))
            spent = ", ".join(f"{money(row['cost'], row['currency'])}" for row in sums) or "nothing"
            count = counted(sum(row["renders"] for row in sums), "render")
            link = list_link(f"{first:%B %Y}", "usageday", month=f"{first:%Y-%m}", owner__id__exact=user.pk)
            rows.append((link, spent, count))
        return format_html_join("", "<div>{}: {} for {}</div>", rows)


def _may_touch(person: Any, user: User | None) -> bool:
    if user is None or person.is_superuser:
        return True
    return not user.is_superuser and (not user.is_staff or user.pk == person.pk)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Permissions that several people have: a group for support, one for operators. Only a superuser gives them."""

    search_help_text = "A part of the name"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser
