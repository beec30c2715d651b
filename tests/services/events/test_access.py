"""Who may not read on."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from renders.services.events.access import Access, lost_access
from tests.factories import grant


@pytest.mark.django_db
class TestLostAccess:
    def test_anonymous_and_active_users_read_on(self, user: User) -> None:
        assert lost_access([Access(), Access(user.pk)]) == set()

    def test_a_user_who_is_deactivated_or_deleted_does_not(self, user: User, staff: User) -> None:
        accesses = [Access(user.pk), Access(staff.pk)]
        User.objects.filter(pk=user.pk).update(is_active=False)
        staff.delete()
        assert lost_access(accesses) == set(accesses)

    def test_a_session_that_has_ended_does_not(self, user: User) -> None:
        client = Client()
        client.force_login(user)
        access = Access(user.pk, session_key=client.session.session_key)
        assert lost_access([access]) == set()
        client.logout()
        assert lost_access([access, Access(user.pk)]) == {access}

    def test_a_user_who_may_not_see_the_renders_of_others_any_more_keeps_their_own(self, user: User) -> None:
        accesses = [Access(user.pk), Access(user.pk, needs_permission=True)]
        grant(user, "view_render")
        assert lost_access(accesses) == set()
        user.user_permissions.clear()
        assert lost_access(accesses) == {accesses[1]}
