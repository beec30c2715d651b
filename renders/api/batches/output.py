"""What goes out: batches as JSON."""

from rest_framework import serializers

from renders.models import Batch
from renders.services.batches.totals import Totals


class BatchSerializer(serializers.ModelSerializer):
    """One batch in the list. The context has ``counts``: of each batch, how many renders have each status."""

    owner = serializers.CharField(source="owner.username", default=None)
    renders = serializers.SerializerMethodField()
    counts = serializers.SerializerMethodField()
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815
    cancelRequestedAt = serializers.DateTimeField(source="cancel_requested_at")  # noqa: N815
    completedAt = serializers.DateTimeField(source="completed_at")  # noqa: N815

    class Meta:
        model = Batch
        fields = ["id", "owner", "renders", "counts", "createdAt", "cancelRequestedAt", "completedAt"]
        read_only_fields = fields

    def get_renders(self, batch: Batch) -> int:
        return sum(self.get_counts(batch).values())

    def get_counts(self, batch: Batch) -> dict[str, int]:
        counts: dict[str, int] = self.context["counts"][batch.pk]
        return counts


class BatchDetailSerializer(BatchSerializer):
    """One batch, with its ``totals`` from the context, and what each item was answered."""

    progress = serializers.SerializerMethodField()
    cost = serializers.SerializerMethodField()
    currency = serializers.SerializerMethodField()
    results = serializers.JSONField()

    class Meta(BatchSerializer.Meta):
        fields = [*BatchSerializer.Meta.fields, "progress", "cost", "currency", "results"]
        read_only_fields = fields

    def get_counts(self, batch: Batch) -> dict[str, int]:
        return self._totals.counts

    def get_progress(self, batch: Batch) -> float:
        return self._totals.progress

    def get_cost(self, batch: Batch) -> float | None:
        return self._totals.cost

    def get_currency(self, batch: Batch) -> str:
        return self._totals.currency

    @property
    def _totals(self) -> Totals:
        totals: Totals = self.context["totals"]
        return totals
