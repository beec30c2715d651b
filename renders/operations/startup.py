"""Warnings when a web server loads the service: WSGI and ASGI servers run no system checks."""

import logging

from django.core.checks import run_checks

from renders.operations.checks import ENVIRONMENT

logger = logging.getLogger(__name__)


def log_environment_warnings() -> None:
    """Log what the system checks of the environment have found."""
    for message in run_checks(tags=[ENVIRONMENT], include_deployment_checks=True):
        logger.warning("%s %s (%s)", message.msg, message.hint, message.id)
