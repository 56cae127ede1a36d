"""What the server says when it refuses, in its own words."""

from dssync.sandbox.wire import Answer, Params, dump_json, html_answer, json_answer


class Problem(Exception):
    """A refusal: a status and the four fields of PostHog's error body."""

    def __init__(
        self,
        status: int,
        kind: str,
        code: str,
        detail: str,
        attr: str | None = None,
        headers: Params = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.code = code
        self.detail = detail
        self.attr = attr
        self.headers = headers

    def answer(self) -> Answer:
        """Write the refusal as JSON."""
        body = {"type": self.kind, "code": self.code, "detail": self.detail, "attr": self.attr}
        return json_answer(self.status, dump_json(body), self.headers)


class HtmlError(Exception):
    """The answer could not be rendered: 500 with an HTML body, whatever was committed before."""

    def answer(self) -> Answer:
        """Write Django's own page for a server error."""
        return html_answer(500, "Server Error (500)")


def invalid(code: str, detail: str, attr: str | None) -> Problem:
    """Refuse a value of a body or of a query parameter."""
    return Problem(400, "validation_error", code, detail, attr)


def unparsable(detail: str) -> Problem:
    """Refuse a body that is not what its Content-Type says."""
    return Problem(400, "invalid_request", "parse_error", detail)


def not_found(detail: str = "Not found.") -> Problem:
    """Say that there is no such path, project or record."""
    return Problem(404, "invalid_request", "not_found", detail)


def method_not_allowed(method: str) -> Problem:
    """Refuse a method that the path does not have."""
    detail = f'Method "{method}" not allowed.'
    return Problem(405, "invalid_request", "method_not_allowed", detail)


def not_acceptable() -> Problem:
    """Refuse an Accept header that JSON does not satisfy."""
    detail = "Could not satisfy the request Accept header."
    return Problem(406, "invalid_request", "not_acceptable", detail)


def unsupported_media_type(media_type: str) -> Problem:
    """Refuse a body that is neither JSON nor a form."""
    detail = f'Unsupported media type "{media_type}" in request.'
    return Problem(415, "invalid_request", "unsupported_media_type", detail)


def not_authenticated() -> Problem:
    """Refuse a call that brings no key."""
    detail = "Authentication credentials were not provided."
    return Problem(401, "authentication_error", "not_authenticated", detail)


def authentication_failed() -> Problem:
    """Refuse a key nobody knows."""
    detail = "Personal API key found in request Authorization header is invalid."
    return Problem(401, "authentication_error", "authentication_failed", detail)


def permission_denied(detail: str) -> Problem:
    """Refuse a key that is known but may not do this."""
    return Problem(403, "authentication_error", "permission_denied", detail)


def throttled(seconds: int) -> Problem:
    """Refuse a call beyond the rate limit; `seconds` is how long to wait."""
    detail = f"Request was throttled. Expected available in {seconds} seconds."
    headers = (("Retry-After", str(seconds)),)
    return Problem(429, "throttled_error", "throttled", detail, headers=headers)


def server_error() -> Problem:
    """Report a failure that the API itself caught: nothing was written."""
    return Problem(500, "server_error", "error", "A server error occurred.")
