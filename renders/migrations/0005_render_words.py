"""PostgreSQL finds renders by the words of ``RenderText`` with an index; ``renders.models.render_text`` asks it."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

CREATE = """
CREATE INDEX render_words ON renders_rendertext USING gin (to_tsvector('simple', error || ' ' || input))
"""
DROP = "DROP INDEX render_words"


def create_index(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(CREATE)


def drop_index(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP)


class Migration(migrations.Migration):
    dependencies = [("renders", "0004_cache_table")]

    operations = [migrations.RunPython(create_index, drop_index)]
