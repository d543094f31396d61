"""What a test needs and may not find: reason to skip on a user's machine, a failure in CI."""

import os
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """End the test for want of something."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have everything: {reason}")
    pytest.skip(reason)
