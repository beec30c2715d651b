"""The use cases. Here transactions begin and end, and nothing else in the project calls AWS.

``start`` creates renders and starts those that wait, ``refresh`` brings rows up to date,
``adopt`` finds renders whose start was left in doubt, ``webhooks`` takes what Remotion delivers,
``control`` cancels and repeats, ``purge`` deletes. No transaction is open and no row locked while AWS is called.
"""

from renders.services.adopt import Adoption, adopt_in_doubt
from renders.services.backoff import Backoff
from renders.services.control import OWN_KEYS, Conflict, cancel_render, retry_render
from renders.services.purge import KEYS_LAST, delete_render, forget_idempotency_keys
from renders.services.refresh import Refreshed, refresh_due, refresh_render, refresh_renders, sign_output
from renders.services.start import Created, KeyConflict, NoRoom, StartFailed, create_render, dispatch_next
from renders.services.webhooks import NotVerified, forget_deliveries, process_delivery, take_delivery

REFUSALS = (Conflict, KeyConflict, NoRoom)
"""What a use case raises, with the reason, for what cannot be done now; nothing has changed then."""

__all__ = [
    "KEYS_LAST",
    "OWN_KEYS",
    "REFUSALS",
    "Adoption",
    "Backoff",
    "Conflict",
    "Created",
    "KeyConflict",
    "NoRoom",
    "NotVerified",
    "Refreshed",
    "StartFailed",
    "adopt_in_doubt",
    "cancel_render",
    "create_render",
    "delete_render",
    "dispatch_next",
    "forget_deliveries",
    "forget_idempotency_keys",
    "process_delivery",
    "refresh_due",
    "refresh_render",
    "refresh_renders",
    "retry_render",
    "sign_output",
    "take_delivery",
]
