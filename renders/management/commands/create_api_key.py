from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser

from renders.management.arguments import days, key_name
from renders.management.base import DatabaseCommand
from renders.models import Scope
from renders.services.api_keys import create_api_key


class Command(DatabaseCommand):
    help = "Makes an API key of a user and prints it: it cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USER", help="Name of the user whose key it is.")
        parser.add_argument("--name", type=key_name, required=True, help="What the key is for.")
        parser.add_argument(
            "--scope",
            action="append",
            choices=Scope.values,
            default=[],
            dest="scopes",
            help="Limit the key to this; may be given several times. Without it, the key may do all that its user may.",
        )
        parser.add_argument("--days", type=days, metavar="N", help="Expire after so many days. Without it: never.")

    def handle(
        self, *args: Any, username: str, name: str, scopes: list[str], days: timedelta | None, **options: Any
    ) -> None:
        user = get_user_model().objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}: make one in the admin under Users.")
        if not user.is_active:
            raise CommandError(f"The user {username!r} is not active, so no key of theirs works.")
        key, secret = create_api_key(user=user, name=name, scopes=scopes, lifetime=days)
        may = f"with the scopes {', '.join(key.scopes)}" if key.scopes else "may do all that its user may"
        until = f"expires on {key.expiry:%Y-%m-%d at %H:%M} UTC" if key.expiry else "never expires"
        # The key alone on stdout, so that a script can take it.
        self.stderr.write(f"Key {name!r} of {username}: {may}; {until}. Keep it now: it is not shown again.")
        self.stdout.write(secret)
