"""Who calls with an API token, and their roles: one statement a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import knox.auth
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import CONSTANTS
from rest_framework.exceptions import AuthenticationFailed

from curation.models import User
from curation.statements import Columns, Statement

if TYPE_CHECKING:
    from typing import Any

_TOKEN = Columns(AuthToken, "t")
_USER = Columns(User, "u")
# The roles as two lists of one order.
_FOUND = Statement(f"""
    SELECT {_TOKEN.sql}, {_USER.sql}, held.benchmarks, held.roles
    FROM knox_authtoken t JOIN curation_user u ON u.id = t.user_id CROSS JOIN LATERAL (
        SELECT array_agg(m.benchmark_id ORDER BY m.id) AS benchmarks, array_agg(m.role ORDER BY m.id) AS roles
        FROM curation_membership m WHERE m.user_id = u.id
    ) held
    WHERE t.token_key = %(key)s""")  # noqa: S608 - names of columns only

_INVALID = "Invalid token."


class TokenAuthentication(knox.auth.TokenAuthentication):  # type: ignore[misc]
    """As knox says, but the caller's other tokens are not looked at: one that ran out is refused when it is sent.

    Nothing is remembered from one request to the next, so that a token taken away is refused at once.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        """The user, with their roles at hand, and the token; refused if it is none, ran out or its user is gone."""
        said = token.decode(errors="replace")
        if not (said.isascii() and said.isprintable()):
            raise AuthenticationFailed(_INVALID)
        digest = hash_token(said)
        for row in _FOUND.rows(key=said[: CONSTANTS.TOKEN_KEY_LENGTH]):
            auth_token, user = _as_objects(row)
            if not self._cleanup_token(auth_token) and constant_time_compare(digest, auth_token.digest):
                self.validate_user(auth_token)
                return user, auth_token
        raise AuthenticationFailed(_INVALID)

    def _cleanup_token(self, auth_token: AuthToken) -> bool:
        if auth_token.expiry is None or auth_token.expiry > timezone.now():
            return False
        auth_token.delete()
        return True


def _as_objects(row: tuple[Any, ...]) -> tuple[AuthToken, User]:
    *values, benchmarks, roles = row
    auth_token, user = _TOKEN.made(values[: len(_TOKEN)]), _USER.made(values[len(_TOKEN) :])
    user.remember_roles(zip(benchmarks or (), roles or (), strict=True))
    auth_token.user = user
    return auth_token, user
