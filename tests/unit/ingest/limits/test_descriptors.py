"""Room for connections, as far as the system gives it."""

import resource

import pytest

from pointq.ingest.limits.descriptors import room_for


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_024, resource.RLIM_INFINITY))


@pytest.mark.usefixtures("few")
def test_more_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    assert room_for(4_096) == 4_096
    assert asked == [(4_352, resource.RLIM_INFINITY)]
    assert room_for(100) == 100
    assert len(asked) == 1


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("refusal", [ValueError("exceeds maximum"), PermissionError("not allowed")])
def test_a_refusal_is_made_do_with(monkeypatch: pytest.MonkeyPatch, refusal: Exception) -> None:
    def refuse(*_: object) -> None:
        raise refusal

    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert room_for(4_096) == 768
