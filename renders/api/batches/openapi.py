"""The operations of ``/api/batches/``, as OpenAPI describes them."""

from rest_framework import serializers

from renders.api.batches.output import BatchDetailSerializer, BatchSerializer
from renders.api.openapi.operation import LOCATION, REPLAYED, Example, Operation, Success
from renders.api.renders.examples import EXAMPLE_PROPS
from renders.api.renders.openapi import DryRunSerializer
from renders.remotion.errors import SetupError
from renders.services.errors import KeyInUse, KeyReused


class BatchDryRunSerializer(serializers.Serializer):
    """What a batch with `dryRun` would do."""

    valid = serializers.BooleanField(help_text="Whether all of it would be taken.")
    errors = serializers.DictField(help_text="What refuses the batch as a whole.")  # type: ignore[assignment]
    slots = serializers.IntegerField(help_text="How many functions all of them need.")
    estimatedCost = serializers.FloatField(allow_null=True, help_text="null: it cannot be estimated.")  # noqa: N815
    currency = serializers.CharField(allow_blank=True)
    results = DryRunSerializer(many=True)


OPERATIONS = {
    "list": Operation(
        id="list_batches",
        summary="List batches",
        description="Your batches, the newest first, in pages.",
        answers={200: Success(description="A page of batches.", body=BatchSerializer)},
    ),
    "create": Operation(
        id="create_batch",
        summary="Queue many renders",
        description=(
            "Queues 1 to 500 renders in one request. `results` has for each, in order, what `POST /api/renders/` would"
            " have answered: one that cannot be rendered does not stop the others."
        ),
        answers={
            200: Success(
                description="A dry run: what each of the renders would do, and all.", body=BatchDryRunSerializer
            ),
            202: Success(description="The batch.", body=BatchDetailSerializer, headers={**LOCATION, **REPLAYED}),
        },
        errors=(SetupError, KeyReused, KeyInUse),
        examples=(
            Example(
                name="two",
                summary="Two videos",
                body={
                    "renders": [
                        {"inputProps": EXAMPLE_PROPS},
                        {"inputProps": EXAMPLE_PROPS, "options": {"codec": "gif"}},
                    ]
                },
            ),
        ),
        is_idempotent=True,
        links={"get_batch": "id", "cancel_batch": "id"},
    ),
    "retrieve": Operation(
        id="get_batch",
        summary="Read a batch",
        description="The batch, with how many of its renders have each status, its progress and its cost so far.",
        answers={200: Success(description="The batch.", body=BatchDetailSerializer)},
    ),
    "cancel": Operation(
        id="cancel_batch",
        summary="Cancel a batch",
        description="Cancels what waits, and asks Remotion to cancel what runs.",
        answers={
            200: Success(description="All renders of the batch have ended.", body=BatchDetailSerializer),
            202: Success(description="Some still run; Remotion is asked to cancel them.", body=BatchDetailSerializer),
        },
        errors=(SetupError,),
    ),
}
