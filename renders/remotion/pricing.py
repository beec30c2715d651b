"""Estimate what a render has cost while it runs or after it failed, by Remotion's formula.

Remotion itself writes the estimate of a finished render into ``progress.json``. The prices are
those of @remotion/lambda-client 4.0.527 (arm64), the formula that of its ``estimatePrice``:
https://www.remotion.dev/docs/lambda/estimateprice
"""

from renders.remotion.console import is_china

BILLED_DISK_IN_MB = 10240 - 512
"""Remotion assumes the largest disk; the first 512 MB are free."""

PRICES = {
    # region: (per request, per GB-second of memory, per GB-second of disk) in the currency below
    "af-south-1": (0.00000027, 0.00001768, 0.0000000404),
    "ap-east-1": (0.00000028, 0.0000183, 0.0000000407),
    "ap-northeast-1": (0.0000002, 0.0000133334, 0.000000037),
    "ap-northeast-2": (0.0000002, 0.0000133334, 0.0000000352),
    "ap-northeast-3": (0.0000002, 0.0000133334, 0.000000037),
    "ap-south-1": (0.0000002, 0.0000133334, 0.0000000352),
    "ap-southeast-1": (0.0000002, 0.0000133334, 0.000000037),
    "ap-southeast-2": (0.0000002, 0.0000133334, 0.000000037),
    "ap-southeast-4": (0.0000002, 0.0000133334, 0.000000037),
    "ap-southeast-5": (0.00000018, 0.000012, 0.0000000333),
    "ca-central-1": (0.0000002, 0.0000133334, 0.000000034),
    "cn-north-1": (0.00000136, 0.0000908, 0.0000002303),
    "cn-northwest-1": (0.00000136, 0.0000908, 0.0000002049),
    "eu-central-1": (0.0000002, 0.0000133334, 0.0000000367),
    "eu-central-2": (0.00000022, 0.0000146667, 0.0000000441),
    "eu-north-1": (0.0000002, 0.0000133334, 0.0000000323),
    "eu-south-1": (0.00000023, 0.0000156138, 0.0000000357),
    "eu-west-1": (0.0000002, 0.0000133334, 0.000000034),
    "eu-west-2": (0.0000002, 0.0000133334, 0.0000000358),
    "eu-west-3": (0.0000002, 0.0000133334, 0.0000000358),
    "sa-east-1": (0.0000002, 0.0000133334, 0.0000000586),
    "us-east-1": (0.0000002, 0.0000133334, 0.0000000309),
    "us-east-2": (0.0000002, 0.0000133334, 0.0000000309),
    "us-west-1": (0.0000002, 0.0000133334, 0.000000037),
    "us-west-2": (0.0000002, 0.0000133334, 0.0000000309),
}


def currency(region: str) -> str:
    """Return the ISO 4217 code of the currency that AWS bills in."""
    return "CNY" if is_china(region) else "USD"


def estimate_cost(*, region: str, memory_size_in_mb: int, duration_in_ms: float, functions: int) -> float | None:
    """Return the cost of ``functions`` that ran ``duration_in_ms`` in total; None if the region has no known price."""
    if region not in PRICES:
        return None
    per_request, per_memory, per_disk = PRICES[region]
    seconds = duration_in_ms / 1000
    gigabyte_seconds = memory_size_in_mb * seconds / 1024
    disk_gigabyte_seconds = BILLED_DISK_IN_MB * seconds / 1024
    total = per_memory * gigabyte_seconds + per_disk * disk_gigabyte_seconds + per_request * functions
    return round(total, 5)
