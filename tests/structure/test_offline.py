"""No test may depend on the network: the guard of conftest.py is at its post."""

import errno
import socket

import pytest

ELSEWHERE = "192.0.2.1"
"""Kept for documents: nobody has it."""


def test_nothing_leaves_this_machine() -> None:
    """A connection to elsewhere fails at once, as on a machine without a network."""
    with socket.socket() as one, pytest.raises(OSError, match="Network is unreachable") as refused:
        one.connect((ELSEWHERE, 443))
    assert refused.value.errno == errno.ENETUNREACH


def test_no_name_is_asked_for() -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("example.org", 443)
    assert socket.getaddrinfo("localhost", 443)
