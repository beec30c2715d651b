from typing import Any

from django.core.management.base import CommandError, CommandParser

from renders.management.base import DatabaseCommand
from renders.models import Template
from renders.remotion.errors import RemotionError
from renders.services.errors import Refused
from renders.services.templates.save import raise_versions as raise_template_versions
from renders.services.templates.sync import stored_site, sync_templates


class Command(DatabaseCommand):
    help = "Makes and updates the templates of a site's compositions; disables those that the site has no more."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--site", default="", metavar="NAME", help="Name or URL of the site; without it, the one of the settings."
        )
        parser.add_argument(
            "--raise-versions",
            action="store_true",
            help="Raise the version of each template of the site, so that no earlier render is used again.",
        )

    def handle(self, *args: Any, site: str, raise_versions: bool, **options: Any) -> None:
        try:
            result = sync_templates(site=site)
        except (RemotionError, Refused) as err:
            raise CommandError(str(err)) from err
        for line in result.lines:
            self.stdout.write(line)
        self.stdout.write(result.summary)
        if raise_versions:
            count = raise_template_versions(Template.objects.filter(site=stored_site(site)))
            self.stdout.write(f"Raised the version of {count}.")
