"""The renderer of every API response; apart from `problems`, since REST framework loads it while loading its views."""

from __future__ import annotations

from typing import Any

from rest_framework import renderers


class ProblemRenderer(renderers.JSONRenderer):
    """JSON, called problem+json when it tells of an error."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Any = None,
    ) -> Any:
        """Serialise; the content type of an error response is set here, after negotiation."""
        response = (renderer_context or {}).get("response")
        if response is not None and response.status_code >= 400:
            response.content_type = "application/problem+json"
            response["Content-Type"] = "application/problem+json"
        return super().render(data, accepted_media_type, renderer_context)
