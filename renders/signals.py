"""Django signals for code that runs in the same project."""

from django.dispatch import Signal

event_published = Signal()
"""What happened to a render or a batch: ``sender`` is ``Event``, ``event`` the stored one, in the order of ids.

The worker sends it, for each event at least once, in the transaction that hands the event on. So a receiver is short,
does not wait for the network, and may be called again with the same event. If it raises, that is logged.
"""
