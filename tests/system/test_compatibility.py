"""The trials of ``tests.compatibility`` on the function of the pinned version."""

import pytest

from renders.sandbox.aws import Sandbox
from tests.compatibility.trials import TRIALS

pytestmark = pytest.mark.system


@pytest.mark.parametrize("name", TRIALS)
def test_the_pinned_version_does_what_the_table_says(sandbox: Sandbox, name: str) -> None:
    TRIALS[name](sandbox)
