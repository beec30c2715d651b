from typing import Any

import pytest

from renders.operations.bucket_checks import check_lifecycle_rules
from tests.factories import BUCKET
from tests.servers import ScriptedServer, s3_error

DAYS = {"1-day": 1, "3-days": 3, "7-days": 7, "30-days": 30}


def set_rules(bucket: Any, names: list[str], status: str = "Enabled") -> None:
    """As Remotion's --enable-folder-expiry does."""
    rules = [
        {"ID": f"AFTER_{name}", "Filter": {"Prefix": f"renders/{name}"}, "Status": status, "Expiration": {"Days": days}}
        for name, days in DAYS.items()
        if name in names
    ]
    bucket.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": rules})


class TestLifecycleRules:
    def test_a_bucket_with_all_is_fine(self, bucket: Any) -> None:
        set_rules(bucket, list(DAYS))
        assert check_lifecycle_rules() == []

    def test_a_bucket_without_any_is_a_warning(self, bucket: Any) -> None:
        (message,) = check_lifecycle_rules()
        assert message.id == "renders.W012"
        assert "1-day, 3-days, 7-days, 30-days" in message.msg

    @pytest.mark.parametrize(("names", "status"), [(["3-days"], "Enabled"), (list(DAYS), "Disabled")])
    def test_those_that_are_missing_are_told(self, bucket: Any, names: list[str], status: str) -> None:
        set_rules(bucket, names, status)
        (message,) = check_lifecycle_rules()
        assert "1-day" in message.msg
        assert ("3-days" in message.msg) == (status == "Disabled")

    def test_a_bucket_that_does_not_tell_is_no_fault(self, aws: ScriptedServer) -> None:
        aws.answers[f"/{BUCKET}"] = s3_error(403, "AccessDenied")
        (message,) = check_lifecycle_rules()
        assert (message.id, message.is_serious()) == ("renders.I001", False)

    def test_without_a_name_it_is_remotions_bucket_in_the_region(self, bucket: Any, settings: Any) -> None:
        settings.REMOTION_BUCKET_NAME = ""
        (message,) = check_lifecycle_rules()
        assert BUCKET in message.msg

    def test_without_credentials_s3_is_not_asked(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_AWS_ACCESS_KEY_ID = ""
        assert check_lifecycle_rules() == []
        assert not aws.requests
