"""An index of Django's, on its own table, for what it does not index: the log of one object.

A render's page shows who pressed what; without the index it would read the whole log.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("renders", "0005_render_words"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX renders_admin_log_object ON django_admin_log (object_id)",
            "DROP INDEX renders_admin_log_object",
        )
    ]
