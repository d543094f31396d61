"""Signed tokens: good ones, and every way in which one may be bad."""

import base64
import json
import logging
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import OKPAlgorithm

from pointq.errors import ConfigError
from pointq.ingest.doors.jwt import SignedTokens
from pointq.ingest.doors.plan import JwtPlan
from pointq.ingest.limits.accounts import Accounts
from pointq.ingest.limits.plan import Rates
from pointq.ingest.limits.tally import Tally
from pointq.ingest.problems import Problem
from pointq.logs import HumanFormatter, JsonFormatter

SECRET = "the-shared-secret-of-the-replaced-system"
PRIVATE = Ed25519PrivateKey.generate()
PUBLIC = json.loads(OKPAlgorithm.to_jwk(PRIVATE.public_key()))
GOOD: dict[str, Any] = {"pilot_id": 7, "race_id": 42, "exp": int(time.time()) + 3600}


def signed(claims: dict[str, Any] = GOOD, *, key: Any = SECRET, algorithm: str = "HS256", **headers: Any) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers or None)


def refusal(tokens: SignedTokens, token: str) -> str:
    with pytest.raises(Problem) as caught:
        tokens.verify(token)
    assert caught.value.status == 401
    assert token not in caught.value.detail
    return caught.value.detail


def keys(folder: Path, *each: dict[str, Any]) -> str:
    path = folder / "jwks.json"
    path.write_text(json.dumps({"keys": each}))
    return str(path)


def oct_key(secret: str, **more: str) -> dict[str, str]:
    return {"kty": "oct", "alg": "HS256", "k": base64.urlsafe_b64encode(secret.encode()).rstrip(b"=").decode(), **more}


def test_a_token_of_the_replaced_system() -> None:
    grant = SignedTokens(JwtPlan(SECRET, claims=("pilot_id", "race_id"))).verify(signed())

    assert (grant.name, set(grant.scopes), grant.device) == ("jwt:7", {"live"}, None)
    assert grant.until == GOOD["exp"] + 30


def test_eddsa_and_hs256_side_by_side(tmp_path: Path) -> None:
    path = keys(tmp_path, {**PUBLIC, "alg": "EdDSA", "kid": "2026"}, oct_key(SECRET[::-1], kid="old"))
    tokens = SignedTokens(JwtPlan(SECRET, keys_file=path))

    assert tokens.verify(signed(key=PRIVATE, algorithm="EdDSA")).scopes
    assert tokens.verify(signed(key=PRIVATE, algorithm="EdDSA", kid="2026")).scopes
    assert tokens.verify(signed(key=SECRET[::-1], kid="old")).scopes
    assert tokens.verify(signed(key=SECRET[::-1])).scopes, "without a key id each is tried"
    assert tokens.verify(signed(kid="of the issuer's own")).scopes
    assert "of no key that is known" in refusal(tokens, signed(kid="old")), "a key id that is known stands for its key alone"


def test_the_public_key_is_no_secret(tmp_path: Path) -> None:
    """The old confusion: whoever knows the public key signs with it as if it were a shared secret."""
    tokens = SignedTokens(JwtPlan(keys_file=keys(tmp_path, {**PUBLIC, "alg": "EdDSA"})))
    raw = PRIVATE.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    assert "of no key that is known" in refusal(tokens, signed(key=raw))
    assert "of no key that is known" in refusal(tokens, jwt.encode(GOOD, "", algorithm="none"))


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": int(time.time()) - 31}, "signature has expired"),
        ({"exp": None}, 'missing the "exp" claim'),
        ({"exp": "soon"}, "must be an integer"),
        ({"nbf": int(time.time()) + 3600}, "not yet valid"),
        ({"aud": "another"}, "audience"),
        ({"aud": None}, "audience"),
        ({"race_id": 43}, "its claim race_id is another one"),
        ({"pilot_id": None}, 'missing the "pilot_id" claim'),
    ],
)
def test_what_is_wrong_with_a_token(claims: dict[str, Any], why: str) -> None:
    tokens = SignedTokens(JwtPlan(SECRET, audience="pointq", claims=("pilot_id", "race_id=42")))
    wanted = {**GOOD, "aud": "pointq"}
    assert tokens.verify(signed(wanted)).scopes

    changed = {name: value for name, value in {**wanted, **claims}.items() if value is not None}
    assert why in refusal(tokens, signed(changed)).lower().replace('aud"', "audience")


def test_a_token_for_another_audience_is_none_where_no_audience_is_configured() -> None:
    assert "audience" in refusal(SignedTokens(JwtPlan(SECRET)), signed({**GOOD, "aud": "elsewhere"}))


@pytest.mark.parametrize(
    ("scope", "granted"),
    [("live view", {"live"}), (["upload"], {"upload"}), ("", set()), (7, set()), ([7, {}], set()), ("root", set())],
)
def test_a_token_may_ask_for_less_never_for_more(scope: Any, granted: set[str]) -> None:
    tokens = SignedTokens(JwtPlan(SECRET, scopes=("live", "upload")))

    assert tokens.verify(signed({**GOOD, "scope": scope})).scopes == granted


@pytest.mark.parametrize(
    "sub",
    ["\ud800", "\0", "a\r\nb \x1b[2J \u202e", "", 7, 1e300, True, ["a"], {"a": None}, "9" * 4000, "\udfff" * 10_000],
    ids=lambda sub: ascii(sub)[:40],  # half a pair has no UTF-8, as which the name of a test goes to another process
)
def test_whoever_a_token_is_for_has_limits_of_their_own(sub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves one line in the log, of a length of ours."""
    name = SignedTokens(JwtPlan(SECRET)).verify(signed({**GOOD, "sub": sub})).name
    assert len(name) <= len("jwt:") + 64
    tally = Tally()
    accounts = Accounts("token", Rates(requests=1), tally)
    accounts.admit(name)
    ((shared, _),) = accounts.changed(10)
    assert shared.isascii()

    records: list[logging.LogRecord] = []
    # caught before what catches logs for a report, which half a pair cannot be sent with either
    monkeypatch.setattr(logging.getLogger("pointq.ingest"), "handle", records.append)
    tally.met("token_requests_per_second", name)
    for formatter in (HumanFormatter(colour=False), JsonFormatter()):
        line = formatter.format(records[-1])
        assert line.encode().decode().isprintable()


def test_long_names_that_differ_in_their_end_are_two() -> None:
    tokens = SignedTokens(JwtPlan(SECRET))
    realm = f"https://issuer.example/{'realm/' * 20}"
    names = {tokens.verify(signed({**GOOD, "sub": f"{realm}{who}"})).name for who in ("anna", "ben", "ben")}
    assert len(names) == 2
    assert all(name.startswith("jwt:https://issuer.example/") and len(name) == 68 for name in names)


@given(st.text() | st.binary().map(lambda data: f"{base64.urlsafe_b64encode(data).decode()}.e30.x"))
def test_no_text_of_a_stranger_is_more_than_a_401(text: str) -> None:
    refusal(SignedTokens(JwtPlan(SECRET)), f"{text}!")


@pytest.mark.parametrize(
    "header", ["[" * 5000, '{"alg":' + "9" * 5000 + "}", '{"alg": "HS256", "kid": 7}', '{"alg": {}}', "null"]
)
def test_absurd_headers_are_no_more_either(header: str) -> None:
    encoded = base64.urlsafe_b64encode(header.encode()).decode()
    refusal(SignedTokens(JwtPlan(SECRET)), f"{encoded}.e30.x")


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "oct", "alg": "none", "k": "c2VjcmV0"},
        {"kty": "RSA", "alg": "RS256", "n": "AQ", "e": "AQAB"},
        {**PUBLIC, "alg": "HS256"},
        {**PUBLIC, "alg": "EdDSA", "x": "AA"},
        oct_key("too short"),
    ],
)
def test_keys_that_cannot_be_used_are_refused_without_being_shown(tmp_path: Path, key: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="has a key that cannot be used") as caught:
        SignedTokens(JwtPlan(keys_file=keys(tmp_path, key)))
    shown = f"{caught.value.message} {caught.value.hint}"
    assert not any(key[name] in shown for name in ("k", "x") if len(key.get(name, "")) > 2)


@pytest.mark.parametrize(("content", "why"), [("{", "is no JWK Set"), ("[]", "is no JWK Set"), ('{"keys": []}', "has no key")])
def test_a_file_without_keys(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=why):
        SignedTokens(JwtPlan(keys_file=str(path)))
    with pytest.raises(ConfigError, match="cannot be read"):
        SignedTokens(JwtPlan(keys_file=str(tmp_path / "none")))
