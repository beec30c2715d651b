import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def admin(staff: User, client: Client) -> Client:
    """A browser in which a superuser is signed in."""
    client.force_login(staff)
    return client
