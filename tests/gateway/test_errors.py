from __future__ import annotations

import inspect

import pytest

from gateway import errors
from gateway.errors import GatewayError, TransientError

pytestmark = pytest.mark.unit


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = {line.split("-- ")[-1].split()[0] for line in (errors.__doc__ or "").splitlines()[2:]}
    classes = inspect.getmembers(errors, inspect.isclass)
    defined = {name for name, item in classes if issubclass(item, GatewayError)}
    assert drawn == defined


def test_a_transient_error_may_say_how_long_to_wait() -> None:
    assert TransientError("Busy.").retry_after_s is None
    assert TransientError("Busy.", retry_after_s=3).retry_after_s == 3
