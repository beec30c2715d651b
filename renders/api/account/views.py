"""``GET /api/account/``: what you may use, use, and have left."""

from rest_framework.request import Request
from rest_framework.response import Response

from renders.api.account.openapi import OPERATIONS
from renders.api.account.output import described_account
from renders.api.endpoint import Endpoint
from renders.models import Scope
from renders.services.account import account_of


class AccountView(Endpoint):
    """The limits and the use of whoever asks."""

    required_scopes = {"get": Scope.RENDERS_READ}
    operations = OPERATIONS

    def get(self, request: Request) -> Response:
        owner = request.user if request.user.is_authenticated else None
        username = owner.get_username() if owner else None
        return Response({"owner": username, **described_account(account_of(owner))})
