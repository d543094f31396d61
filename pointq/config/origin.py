"""Where a setting's value came from, and how its secrets are kept out of sight."""

import re
from dataclasses import dataclass
from typing import Literal

MASK = "***"

# Up to the last @: a password may hold one, and masking too much is the safe mistake.
_URL_PASSWORD = re.compile(r"(?P<before>://[^:@/\s]*:).*(?=@)", re.DOTALL)
_NAMED_PASSWORD = re.compile(r"(?P<before>\b(?:(?:ssl)?password|token)\s*=\s*)(?:'(?:\\.|[^'\\])*'?|[^&#\s]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: the layer, and the name it has there."""

    layer: Literal["default", "file", "credential", "environment", "flag"]
    name: str = ""
    """The file's path, the variable, or the flag; for a default, why it is not the usual one."""

    def __str__(self) -> str:
        """As `config show` and error messages print it."""
        match self.layer:
            case "default":
                return f"default {self.name}".rstrip()
            case "file":
                return self.name
            case "credential":
                return f"credential {self.name}"
            case "environment":
                return f"environment {self.name}"
            case "flag":
                return f"{self.name} flag"


def mask_passwords(text: str) -> str:
    """Put ``***`` in place of every password and token in a URL or a ``key=value`` connection string."""
    for pattern in (_URL_PASSWORD, _NAMED_PASSWORD):
        text = pattern.sub(rf"\g<before>{MASK}", text)
    return text
