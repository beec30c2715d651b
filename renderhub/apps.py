"""Django's entry to the admin."""

from django.contrib.admin.apps import AdminConfig


class AdminSiteConfig(AdminConfig):
    """The admin, with our site."""

    default_site = "renderhub.admin_site.AdminSite"
