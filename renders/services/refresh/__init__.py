"""Keeping rows true: **claim** due rows, **fetch** their progress.json, **observe**, **apply**.

``engine`` runs these steps for one row or thousands; ``lease`` claims, ``remotion.reader`` fetches,
``observe`` interprets without the database, ``apply`` changes the rows under their locks, ``schedule``
says when a row is due again, ``circuit_breaker`` keeps away from buckets that fail.
"""
