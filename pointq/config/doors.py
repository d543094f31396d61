"""Settings of who is let in."""

from typing import Annotated, Literal

from pydantic import Field

from pointq.config.forms import LISTED, AbsolutePath, Section, SigningKey, Words

Door = Literal["none", "token"]


class AuthSettings(Section):
    """Who is let in at `pointq serve`: none is everybody, token asks for a token (`pointq token create`)."""

    tracking: Door = Field(default="none", description="Door of live, upload and Flymaster points: none or token")
    scoring: Door = Field(default="none", description="Door of scoring points: none or token")
    import_: Door = Field(default="none", alias="import", description="Door of files that are posted: none or token")
    status: Door = Field(default="none", description="Door of the status and health documents: none or token")
    jwt_secret: SigningKey | None = Field(
        default=None,
        description="Key of signed tokens (JWT) of algorithm HS256, at least 32 bytes; they are taken where a token is",
        examples=["at least 32 bytes, as random as can be"],
    )
    jwt_keys: AbsolutePath | None = Field(
        default=None,
        description="File of further keys, a JWK Set (RFC 7517), each with its own alg: HS256 or EdDSA",
        examples=["/etc/pointq/jwks.json"],
    )
    jwt_audience: str | None = Field(
        default=None,
        min_length=1,
        description="What a signed token must have as aud; not set: it must have none",
        examples=["pointq"],
    )
    jwt_claims: Words = Field(
        default=(),
        examples=[("pilot_id", "race_id=42")],
        description="Claims that a signed token must have besides exp: name or name=value; in a variable with commas between",
    )
    jwt_scopes: Annotated[tuple[Literal["live", "upload", "scoring", "flymaster", "import", "view"], ...], LISTED] = Field(
        default=("live",),
        description="What signed tokens allow at most; one with a claim scope allows what is in both",
    )
