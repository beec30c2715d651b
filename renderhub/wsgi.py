import os

from django.core.wsgi import get_wsgi_application

from renders.operations.startup import log_environment_warnings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "renderhub.settings")

application = get_wsgi_application()
log_environment_warnings()
