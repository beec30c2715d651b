"""Many rows, as a year leaves them: nearly all succeeded, a few failed, the newest still active."""

import json

from django.contrib.auth.models import User
from django.db import connection

from renders.models import Template
from renders.remotion import console
from renders.remotion.versions import PINNED_VERSION
from tests.factories import BUCKET, INPUT_PROPS

OWNERS = 20
RARE_OWNER = "rare"
FUNCTION = f"remotion-render-{PINNED_VERSION.replace('.', '-')}-mem3009mb-disk10240mb-240sec"
# Of each thousand: 5 active, 20 failed, 5 cancelled, 970 succeeded. 1 is the newest.
STATUS = """CASE
    WHEN number <= total * 0.001 THEN 'queued'
    WHEN number <= total * 0.005 THEN 'rendering'
    WHEN mod(number, 50) = 17 THEN 'failed'
    WHEN mod(number, 200) = 29 THEN 'cancelled'
    ELSE 'succeeded' END"""
# A few owners make most of the renders; some renders have none.
OWNER = """CASE
    WHEN mod(number, 100) = 99 THEN NULL
    WHEN mod(number, greatest(total / 20, 100)) = 7 THEN (SELECT id FROM auth_user WHERE username = %(rare)s)
    ELSE (SELECT id FROM auth_user WHERE username = 'owner' || floor(%(owners)s * power(noise, 3))::int) END"""
FILL = f"""
WITH numbers AS (
    SELECT number, %(total)s AS total, (hashint4(number)::bigint + 2147483648) / 4294967296.0 AS noise
    FROM generate_series(1, %(total)s) AS number
), rows AS MATERIALIZED (
    SELECT number, noise, {STATUS} AS status, {OWNER} AS owner_id, gen_random_uuid() AS id,
        'r' || substr(md5(number::text), 1, 9) || number AS render_id,
        now() - number * interval '1 year' / total AS created_at,
        CASE WHEN mod(number, 20) = 3 THEN 'still' ELSE 'video' END AS kind, number / 200 + 1 AS batch
    FROM numbers
), told AS (
    SELECT *, status NOT IN ('queued') AS is_started, status IN ('succeeded', 'failed', 'cancelled') AS is_over,
        status = 'succeeded' AS is_done
    FROM rows
)
INSERT INTO renders_render (
    id, owner_id, status, failure_reason, error, errors, input_props, composition, serve_url, function_name,
    function_timeout, region, configured_bucket, frames_per_lambda, codec, remotion_version, render_id, bucket_name,
    cloudwatch_logs, folder_in_s3_console, progress, frames_rendered, output_bucket, output_key, output_size, cost,
    currency, slots_needed, priority, queue_rank, throttled_count, upload_attempts, idempotency_key,
    idempotency_fingerprint, kind, frame, template_id, batch_id, metadata, external_id, webhook_url,
    options, extension, duration_in_frames, fps, width, height, artifacts, reuse_key,
    created_at, submitted_at, refreshed_at, finished_at
)
SELECT id, owner_id, status,
    CASE WHEN status <> 'failed' THEN '' WHEN noise < 0.5 THEN 'timed_out' WHEN noise < 0.55 THEN 'lost'
        ELSE 'render_error' END,
    CASE WHEN status = 'failed' THEN 'Error: boom at frame ' || mod(number, 150) ELSE '' END,
    '[]', %(input_props)s, 'DynamicComp', 'renderhub', %(function)s, 240, 'us-east-1', '', 60, 'h264', %(version)s,
    CASE WHEN is_started THEN render_id ELSE '' END, CASE WHEN is_started THEN %(bucket)s ELSE '' END,
    CASE WHEN is_started THEN replace(%(logs)s, 'abc123', render_id) ELSE '' END,
    CASE WHEN is_started THEN replace(%(folder)s, 'abc123', render_id) ELSE '' END,
    CASE WHEN is_done THEN 1 WHEN is_started THEN noise ELSE 0 END, CASE WHEN is_done THEN 150 ELSE 0 END,
    CASE WHEN is_done THEN %(bucket)s ELSE '' END,
    CASE WHEN is_done THEN 'renders/' || render_id || '/' || id || '.mp4' ELSE '' END,
    CASE WHEN is_done THEN 1000000 + number END, CASE WHEN is_started THEN 0.0007 END,
    CASE WHEN is_started THEN 'USD' ELSE '' END,
    4, 0, created_at, 0, 0, '', '', kind, CASE WHEN kind = 'still' THEN 0 END,
    CASE WHEN mod(number, 10) < 3 THEN %(template)s::bigint END,
    CASE WHEN batch <= %(batches)s THEN md5('batch ' || batch)::uuid END,
    CASE WHEN mod(number, 2) = 0 THEN jsonb_build_object('shop', 'shop' || mod(number, 100)) ELSE '{{}}' END,
    CASE WHEN mod(number, 4) = 0 THEN 'order-' || mod(number, %(total)s / 20 + 1) ELSE '' END, '', '{{}}', 'mp4',
    150, 30, 1280, 720, '[]',
    encode(sha256(convert_to(id::text, 'UTF8')), 'hex'), created_at, CASE WHEN is_started THEN created_at END,
    CASE WHEN is_started THEN created_at + interval '8 s' END, CASE WHEN is_over THEN created_at + interval '9 s' END
FROM told ORDER BY number DESC
"""  # noqa: S608
REFRESH = """
INSERT INTO renders_refreshstate (render_id, region, bucket_name, next_refresh_at, answered_at, etag)
SELECT id, region, bucket_name, now(), now(), '' FROM renders_render WHERE status = 'rendering'
"""


METADATA = """
INSERT INTO renders_rendermetadata (render_id, owner_id, key, value, created_at)
SELECT id, owner_id, key, value, created_at FROM renders_render, jsonb_each_text(metadata)
"""
TEXT = """
INSERT INTO renders_rendertext (render_id, error, input)
SELECT id, CASE WHEN error = '' THEN '  ' ELSE ' error boom at frame ' || mod(abs(hashtext(render_id)), 150) || ' ' END,
    ' create a rotating 3d cube with blue color topic' || mod(abs(hashtext(id::text)), 10000) || ' '
FROM renders_render
"""
BATCHES = """
INSERT INTO renders_batch (id, owner_id, results, idempotency_key, idempotency_fingerprint, created_at)
SELECT md5('batch ' || number)::uuid, NULL, '[]', '', '', now() FROM generate_series(1, %s) AS number
"""
TEMPLATE = "promo"


def fill(total: int) -> None:
    """Users and ``total`` renders, and the statistics that a table of some age has."""
    User.objects.create_superuser("staff")
    User.objects.bulk_create(User(username=name) for name in [RARE_OWNER, *(f"owner{i}" for i in range(OWNERS))])
    place = {"region": "us-east-1", "render_id": "abc123"}
    values: dict[str, str | int] = {
        "total": total,
        "template": Template.objects.create(name=TEMPLATE, composition="Promo").pk,
        "batches": total // 400,  # of half of the renders, the newest
        "owners": OWNERS,
        "rare": RARE_OWNER,
        "input_props": json.dumps(INPUT_PROPS),
        "function": FUNCTION,
        "version": PINNED_VERSION,
        "bucket": BUCKET,
        "logs": console.cloudwatch_logs_url(function_name=FUNCTION, **place),
        "folder": console.s3_folder_url(bucket_name=BUCKET, **place),
    }
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
        cursor.execute(BATCHES, [values["batches"]])
        cursor.execute(FILL, values)
        cursor.execute(REFRESH)
        cursor.execute(METADATA)
        cursor.execute(TEXT)
        cursor.execute("VACUUM ANALYZE renders_render")
        cursor.execute("VACUUM ANALYZE renders_rendermetadata")
        cursor.execute("VACUUM ANALYZE renders_rendertext")


def sizes() -> str:
    """How large the table and its indexes are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_size_pretty(pg_table_size('renders_render')), pg_size_pretty(pg_indexes_size('renders_render'))"
        )
        table, indexes = cursor.fetchone()
    return f"{table} and {indexes} of indexes"
