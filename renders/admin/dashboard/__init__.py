"""The dashboard: the admin's index."""

from renders.admin.dashboard.page import dashboard_callback, dashboard_now

__all__ = ["dashboard_callback", "dashboard_now"]
