"""Tests of the gate run on asyncio, as it does."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
