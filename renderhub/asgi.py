import os

from django.core.asgi import get_asgi_application

from renders.operations.startup import log_environment_warnings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "renderhub.settings")

application = get_asgi_application()
log_environment_warnings()
