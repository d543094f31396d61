"""What the doors of a server are to be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Mode = Literal["none", "token"]


@dataclass(frozen=True, slots=True)
class JwtPlan:
    """Which signed tokens are taken."""

    secret: str | None = field(default=None, repr=False)
    """Of algorithm HS256."""
    keys_file: str | None = None
    """A JWK Set."""
    audience: str | None = None
    claims: Sequence[str] = ()
    """Besides exp, as ``name`` or ``name=value``."""
    scopes: Sequence[str] = ("live",)

    @property
    def wanted(self) -> bool:
        """Whether there is any key."""
        return self.secret is not None or self.keys_file is not None


@dataclass(frozen=True, slots=True)
class DoorPlan:
    """The mode of each group of routes, and what is believed there; in values of JSON."""

    tracking: Mode = "none"
    scoring: Mode = "none"
    files: Mode = "none"
    """The setting `auth.import`."""
    status: Mode = "none"
    has_flymaster_secret: bool = False
    """Then an upload's own key is what counts: instruments know no tokens."""
    jwt: JwtPlan = JwtPlan()
    trusted_proxies: Sequence[str] = ()
    book_file: str | None = None
    """Where the tokens are kept for when the database is away."""

    @property
    def asks(self) -> bool:
        """Whether a token is asked for anywhere."""
        return "token" in {self.tracking, self.scoring, self.files, self.status}

    @classmethod
    def of_json(cls, fields: Mapping[str, Any]) -> "DoorPlan":
        """The plan that went over to another process."""
        jwt = fields["jwt"]
        signed = JwtPlan(**{**jwt, "claims": tuple(jwt["claims"]), "scopes": tuple(jwt["scopes"])})
        return cls(**{**fields, "jwt": signed, "trusted_proxies": tuple(fields["trusted_proxies"])})

    def mode(self, scope: str) -> Mode:
        """The mode of the door that a scope opens."""
        if scope == "flymaster" and self.has_flymaster_secret:
            return "none"
        return {"scoring": self.scoring, "import": self.files, "view": self.status}.get(scope, self.tracking)
