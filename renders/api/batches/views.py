"""The resource ``/api/batches/``."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from renders.api.batches.create import create_batch_from_request
from renders.api.batches.dry_run import dry_run_batch
from renders.api.batches.input import BatchListQuerySerializer, CreateBatchSerializer
from renders.api.batches.openapi import OPERATIONS
from renders.api.batches.output import BatchDetailSerializer, BatchSerializer
from renders.api.endpoint import Endpoint
from renders.api.owner import chosen_owner, own
from renders.api.renders.create import REPLAYED
from renders.api.renders.dry_run import is_dry_run
from renders.api.throttles import CREATE
from renders.models import Batch, Scope
from renders.services.batches.cancel import cancel_batch
from renders.services.batches.totals import counts_of, totals


class BatchViewSet(Endpoint, viewsets.GenericViewSet):
    """Up to 500 renders in one request: create, list, read, cancel."""

    lookup_value_regex = r"[^/]+"
    operations = OPERATIONS
    body_serializers = {"create": CreateBatchSerializer}
    query_serializers = {"list": BatchListQuerySerializer}
    rates = {"create": CREATE}
    required_scopes = {
        **dict.fromkeys(("list", "retrieve"), Scope.RENDERS_READ),
        **dict.fromkeys(("create", "cancel"), Scope.RENDERS_WRITE),
    }

    def get_queryset(self) -> QuerySet[Batch]:
        if self.action != "list":
            return Batch.objects.select_related("owner")
        # Always of one owner: batch_owner_newest serves it.
        username = self.query.get("owner")
        owner = own(self.request) if username is None else chosen_owner(self, self.request, username)
        return Batch.objects.filter(owner=owner.pk).select_related("owner").defer("results")

    def list(self, request: Request) -> Response:
        page: list[Batch] = self.paginate_queryset(self.get_queryset()) or []
        shown = BatchSerializer(page, many=True, context={"counts": counts_of(page)})
        return self.get_paginated_response(shown.data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(_detail(self._batch()))

    def create(self, request: Request) -> Response:
        """Queue the renders: 202, with what each item is answered in ``results``."""
        if is_dry_run(request):
            return Response(dry_run_batch(self, request))
        created = create_batch_from_request(self, request)
        location = reverse("batch-detail", kwargs={"pk": created.batch.pk}, request=request)
        headers = {"Location": location, **(REPLAYED if created.is_replayed else {})}
        return Response(_detail(created.batch), status=status.HTTP_202_ACCEPTED, headers=headers)

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel what has not ended: 202; 200 if nothing runs any more."""
        batch = self._batch()
        self.validated_body()
        shown = _detail(cancel_batch(batch))
        return Response(shown, status=status.HTTP_200_OK if shown["completedAt"] else status.HTTP_202_ACCEPTED)

    def _batch(self) -> Batch:
        try:
            batch: Batch = self.get_object()
        except Http404 as err:
            raise NotFound("There is no such batch.") from err
        return batch


def _detail(batch: Batch) -> dict[str, Any]:
    return dict(BatchDetailSerializer(batch, context={"totals": totals(batch)}).data)
