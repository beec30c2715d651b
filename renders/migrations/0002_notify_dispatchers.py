"""PostgreSQL notifies the workers when a queued render may start: one was queued, or slots were freed.

A trigger, so that whatever changes a row wakes them, in the transaction that changes it.
``renders.models.channels`` listens.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

CREATE = """
CREATE FUNCTION renders_notify_dispatchers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY renders_dispatch;
    RETURN NULL;
END
$$;
CREATE TRIGGER renders_queued AFTER INSERT ON renders_render
    FOR EACH ROW WHEN (NEW.status = 'queued')
    EXECUTE FUNCTION renders_notify_dispatchers();
CREATE TRIGGER renders_ended AFTER UPDATE OF finished_at ON renders_render
    FOR EACH ROW WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL)
    EXECUTE FUNCTION renders_notify_dispatchers();
CREATE TRIGGER renders_deleted AFTER DELETE ON renders_render
    FOR EACH ROW WHEN (OLD.finished_at IS NULL)
    EXECUTE FUNCTION renders_notify_dispatchers();
"""
DROP = """
DROP TRIGGER renders_queued ON renders_render;
DROP TRIGGER renders_ended ON renders_render;
DROP TRIGGER renders_deleted ON renders_render;
DROP FUNCTION renders_notify_dispatchers();
"""


def create_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(CREATE)


def drop_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP)


class Migration(migrations.Migration):
    dependencies = [("renders", "0001_initial")]

    operations = [migrations.RunPython(create_triggers, drop_triggers)]
