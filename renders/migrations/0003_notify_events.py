"""PostgreSQL notifies those who hand events on, in the transaction that publishes them.

``renders.models.channels`` listens.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

CREATE = """
CREATE FUNCTION renders_notify_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY renders_events;
    RETURN NULL;
END
$$;
CREATE TRIGGER renders_published AFTER INSERT ON renders_event
    FOR EACH STATEMENT EXECUTE FUNCTION renders_notify_events();
"""
DROP = """
DROP TRIGGER renders_published ON renders_event;
DROP FUNCTION renders_notify_events();
"""


def create_trigger(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(CREATE)


def drop_trigger(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP)


class Migration(migrations.Migration):
    dependencies = [("renders", "0002_notify_dispatchers")]

    operations = [migrations.RunPython(create_trigger, drop_trigger)]
