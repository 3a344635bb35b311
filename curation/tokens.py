"""Who calls with an API token: one statement a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import knox.auth
from django.utils import timezone

if TYPE_CHECKING:
    from knox.models import AuthToken


class TokenAuthentication(knox.auth.TokenAuthentication):  # type: ignore[misc]
    """As knox says, but the caller's other tokens are not looked at: one that ran out is refused when it is sent.

    Nothing is remembered from one request to the next, so that a token taken away is refused at once.
    """

    def _cleanup_token(self, auth_token: AuthToken) -> bool:
        if auth_token.expiry is None or auth_token.expiry > timezone.now():
            return False
        auth_token.delete()
        return True
