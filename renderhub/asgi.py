import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from renderhub.asgi_bridge import ThreadedApplication
from renders.operations.startup import log_environment_warnings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "renderhub.settings")

application = ThreadedApplication(get_wsgi_application(), threads=settings.WEB_THREADS)
log_environment_warnings()
