"""One system under test for all tests of a module; each finds it as new."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.validation.system import System, serving


@pytest.fixture(scope="module")
def served() -> Iterator[System]:
    with serving() as system:
        yield system


@pytest.fixture
def system(served: System) -> System:
    served.reset()
    return served
