"""Signed tokens (JWT, RFC 7519): issued by somebody else, verified here with a key that was configured.

Each key is for one algorithm, whatever a token says of itself (RFC 8725, 3.1): HS256 for a secret that is shared with the
issuer, EdDSA (RFC 8037) for the issuer's public key. The library is PyJWT, the extra `jwt`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pointq.errors import ConfigError
from pointq.ingest.doors.grants import Grant
from pointq.ingest.doors.plan import JwtPlan
from pointq.ingest.doors.refusals import not_valid

if TYPE_CHECKING:
    from jwt import PyJWK

_ALGORITHMS = {"oct": "HS256", "OKP": "EdDSA"}
"""By type of key."""
_HS256_BYTES = 32
"""Of a secret at least (RFC 7518, 3.2)."""
_LEEWAY_SECONDS = 30
"""Between the issuer's clock and this one."""
_ABSURD = (ValueError, OverflowError, RecursionError)
"""What PyJWT lets through where a stranger's text is no JSON that anybody would write."""
_LAST = 2.0**53
_NAMES = ("sub", "pilot_id", "jti")
"""Claims that say whose a token is, the first that is there."""
_MOST_CHARACTERS = 64
"""Of what they say."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key, and the one algorithm that it is for."""

    key: "PyJWK" = field(repr=False)
    algorithm: str
    id: str | None


class SignedTokens:
    """Verifies signed tokens. Raises ConfigError where the keys are none."""

    def __init__(self, plan: JwtPlan) -> None:
        self._plan = plan
        self._keys = _keys(plan)
        self._claims = [(name, value if equals else None) for name, equals, value in (c.partition("=") for c in plan.claims)]

    def verify(self, token: str) -> Grant:
        """What a signed token grants. Raises Problem (401) where it is not good, which says what is wrong."""
        import jwt  # noqa: PLC0415 - an extra

        for key in self._candidates(token):
            try:
                return self._grant(self._decoded(token, key))
            except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError):
                continue
            except (jwt.PyJWTError, *_ABSURD) as exc:
                raise not_valid(f"the signed token is not good: {_why(exc)}") from exc
        raise not_valid("the signed token is of no key that is known here")

    def _candidates(self, token: str) -> Sequence[Key]:
        """The keys that it may be signed with: those of its key id, where it names one that is known."""
        import jwt  # noqa: PLC0415

        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, *_ABSURD) as exc:
            raise not_valid("this is neither a token of pointq nor a signed one") from exc
        keys = [key for key in self._keys if key.algorithm == header.get("alg")]
        named = [key for key in keys if key.id is not None and key.id == header.get("kid")]
        return named or keys

    def _decoded(self, token: str, key: Key) -> dict[str, Any]:
        import jwt  # noqa: PLC0415

        return jwt.decode(
            token,
            key.key.key,
            algorithms=[key.algorithm],
            audience=self._plan.audience,
            leeway=_LEEWAY_SECONDS,
            options={
                # without an end there would be no way to lock somebody out but a new key for all
                "require": ["exp", *(["aud"] if self._plan.audience else []), *(name for name, _ in self._claims)],
                # issuers put numbers there, too, and nothing here depends on them
                "verify_sub": False,
                "verify_jti": False,
            },
        )

    def _grant(self, claims: Mapping[str, Any]) -> Grant:
        for name, value in self._claims:
            if value is not None and str(claims[name]) != value:
                raise not_valid(f"the signed token is not good: its claim {name} is another one than is expected here")
        whose = next((str(claims[name]) for name in _NAMES if claims.get(name) is not None), "?")
        return Grant(f"jwt:{_short(whose)}", self._scopes(claims), until=min(int(claims["exp"]), _LAST) + _LEEWAY_SECONDS)

    def _scopes(self, claims: Mapping[str, Any]) -> frozenset[str]:
        most = frozenset(self._plan.scopes)
        asked = claims.get("scope")
        if asked is None:
            return most
        words = asked.split() if isinstance(asked, str) else asked
        # one word after the other (RFC 8693, 4.2), or a list, as many write it
        return most & {word for word in words if isinstance(word, str)} if isinstance(words, list) else frozenset()


def _short(whose: str) -> str:
    """The text, or its beginning and a hash: names may differ in their end alone, and each has limits of its own."""
    if len(whose) <= _MOST_CHARACTERS:
        return whose
    hashed = blake2b(whose.encode("utf8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{whose[: _MOST_CHARACTERS - 1 - len(hashed)]}…{hashed}"


def _why(exc: Exception) -> str:
    """PyJWT's own words name claims, never their values."""
    text = str(exc)
    return f"{text[:1].lower()}{text[1:]}" or type(exc).__name__


def _keys(plan: JwtPlan) -> list[Key]:
    try:
        from jwt import PyJWK  # noqa: F401, PLC0415
    except ImportError as exc:
        hint = "pip install 'pointq[jwt]'"
        raise ConfigError("auth.jwt_secret and auth.jwt_keys need PyJWT, which is not installed", hint=hint) from exc
    keys = [] if plan.secret is None else [_secret_key(plan.secret)]
    return keys if plan.keys_file is None else [*keys, *_read(Path(plan.keys_file))]


def _secret_key(secret: str) -> Key:
    from base64 import urlsafe_b64encode  # noqa: PLC0415

    encoded = urlsafe_b64encode(secret.encode()).rstrip(b"=").decode()
    return _key({"kty": "oct", "alg": "HS256", "k": encoded})


def _read(path: Path) -> list[Key]:
    """The keys of a JWK Set. Raises ConfigError."""
    hint = 'expected a JWK Set (RFC 7517): {"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": …}, …]}'
    try:
        document = json.loads(path.read_bytes())
        keys = [_key(each) for each in document["keys"]]
    except OSError as exc:
        raise ConfigError(f"auth.jwt_keys, {path}, cannot be read: {exc.strerror or exc}") from exc
    except _Unfit as exc:
        raise ConfigError(f"auth.jwt_keys, {path}, has a key that cannot be used: {exc}", hint=hint) from exc
    except (ValueError, KeyError, TypeError) as exc:
        # no word on what was found: it may be a key
        raise ConfigError(f"auth.jwt_keys, {path}, is no JWK Set", hint=hint) from exc
    if not keys:
        raise ConfigError(f"auth.jwt_keys, {path}, has no key", hint=hint)
    return keys


class _Unfit(Exception):
    """A key that cannot be used; the message never shows it."""


def _key(data: Mapping[str, Any]) -> Key:
    from jwt import PyJWK, PyJWTError  # noqa: PLC0415

    wanted = _ALGORITHMS.get(data["kty"])
    if wanted is None or data.get("alg") != wanted:
        raise _Unfit('each needs "kty" and "alg", either oct and HS256, or OKP and EdDSA')
    try:
        key = PyJWK(dict(data), algorithm=wanted)
    except (PyJWTError, ValueError, TypeError, KeyError):
        raise _Unfit(f"one of type {data['kty']} is damaged") from None
    if isinstance(key.key, bytes) and len(key.key) < _HS256_BYTES:
        raise _Unfit(f"an HS256 key needs at least {_HS256_BYTES} bytes")
    kid = data.get("kid")
    return Key(key, wanted, kid if isinstance(kid, str) else None)
