from django.apps import AppConfig


class RendersConfig(AppConfig):
    name = "renders"
    verbose_name = "Remotion renders"

    def ready(self) -> None:
        from renders.operations import bucket_checks, checks  # noqa: F401, PLC0415  (registers the system checks)
