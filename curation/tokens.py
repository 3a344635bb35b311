"""Who calls with an API token, and their roles: one statement a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import knox.auth
from django.db import connection
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import CONSTANTS
from rest_framework.exceptions import AuthenticationFailed

from curation.models import User

if TYPE_CHECKING:
    from typing import Any

_TOKEN_FIELDS = ("digest", "token_key", "user_id", "created", "expiry")
_USER_FIELDS = tuple(field.attname for field in User._meta.concrete_fields)
# The columns are the models' own names; the roles as two lists of one order.
_FOUND = f"""
    SELECT {", ".join(f"t.{name}" for name in _TOKEN_FIELDS)}, held.benchmarks, held.roles,
        {", ".join(f"u.{name}" for name in _USER_FIELDS)}
    FROM knox_authtoken t JOIN curation_user u ON u.id = t.user_id CROSS JOIN LATERAL (
        SELECT array_agg(m.benchmark_id ORDER BY m.id) AS benchmarks, array_agg(m.role ORDER BY m.id) AS roles
        FROM curation_membership m WHERE m.user_id = u.id
    ) held
    WHERE t.token_key = %s"""  # noqa: S608 - names of columns only

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
        with connection.cursor() as cursor:
            cursor.execute(_FOUND, [said[: CONSTANTS.TOKEN_KEY_LENGTH]])
            rows = cursor.fetchall()
        for row in rows:
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
    count = len(_TOKEN_FIELDS)
    auth_token = AuthToken(**dict(zip(_TOKEN_FIELDS, row[:count], strict=True)))
    auth_token._state.adding = False
    benchmarks, roles = row[count : count + 2]
    user = User.from_db(connection.alias, _USER_FIELDS, row[count + 2 :])
    user.remember_roles(zip(benchmarks or (), roles or (), strict=True))
    auth_token.user = user
    return auth_token, user
