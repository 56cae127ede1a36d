"""What an answer of the server means: a JSON value, or one of this program's errors."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from dssync.errors import (
    ApiError,
    DssyncError,
    Invalid,
    KeyRejected,
    MethodNotAllowed,
    NotFound,
    ServerTrouble,
    Throttled,
    Unreachable,
    WrongTarget,
)
from dssync.net.retry import api_error, retry_after, surely_not_applied
from dssync.net.transport import Answer

T = TypeVar("T")

NO_SUCH_PROJECT = "Project not found."

_CHECK_HOST = "check the host in the configuration; it must be the address of PostHog itself"
_KEYS_PAGE = "in PostHog under Settings → Personal API keys"


def interpret(answer: Answer) -> Answer:
    """Return a 2xx answer that is JSON; raise what any other one means.

    Raises Invalid (400), KeyRejected (401, 403), NotFound, MethodNotAllowed, another ApiError,
    Throttled (429), ServerTrouble (5xx), and WrongTarget for an unknown project or for anything
    the API itself would not have said.
    """
    if 200 <= answer.status < 300 and _is_json(answer):
        return answer
    raise _error(answer)


def decode(answer: Answer, decoder: "msgspec.json.Decoder[T]") -> T:
    """Read the body of a 2xx answer. Raises WrongTarget for another shape, Unreachable if cut."""
    try:
        return decoder.decode(answer.body)
    except msgspec.ValidationError as error:
        raise unlike_the_api(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreachable("the server's answer was cut short or damaged on its way") from None


def unlike_the_api(what: str) -> WrongTarget:
    """Make the error for JSON that the API would not have sent."""
    return WrongTarget(f"the server answered with something unlike the API: {what}")


def _is_json(answer: Answer) -> bool:
    return "json" in answer.headers.get("content-type", "").lower()


def _error(answer: Answer) -> DssyncError:
    if answer.status >= 500:
        return _server_trouble(answer)
    if answer.status == 429:
        return _throttled(answer)
    if answer.status == 405:
        return MethodNotAllowed(405, "there is no such method here, so nothing was done")
    found = api_error(answer)
    if not found:
        return _not_the_api(answer)
    return _REFUSALS.get(answer.status, _other)(_api_error(answer.status, found))


def _server_trouble(answer: Answer) -> ServerTrouble:
    about = f" ({api_error(answer)['detail']})" if surely_not_applied(answer) else ""
    return ServerTrouble(
        f"the server answered {answer.status}{about}",
        status=answer.status,
        perhaps_applied=not surely_not_applied(answer),
    )


def _throttled(answer: Answer) -> Throttled:
    seconds = retry_after(answer)
    hint = f"run the same command again in {seconds:.0f} seconds" if seconds else ""
    return Throttled("the key's rate limit is used up", hint=hint, perhaps_applied=False)


def _not_the_api(answer: Answer) -> WrongTarget:
    page = "a web page" if "html" in answer.headers.get("content-type", "") else "something else"
    return WrongTarget(
        f"the server answered {answer.status} with {page}, not with the API's JSON",
        hint=_CHECK_HOST,
    )


def _api_error(status: int, found: Mapping[str, object]) -> ApiError:
    attr = found.get("attr")
    return ApiError(
        status,
        str(found["detail"]),
        error_type=str(found.get("type", "")),
        error_code=str(found["code"]),
        attr=None if attr is None else str(attr),
    )


def _invalid(said: ApiError) -> DssyncError:
    return _as(Invalid, said)


def _not_found(said: ApiError) -> DssyncError:
    if said.detail == NO_SUCH_PROJECT:
        return WrongTarget(
            "the server knows no such project or environment",
            hint="check its number, and that the host is the region where it lives",
        )
    return _as(NotFound, said)


def _other(said: ApiError) -> DssyncError:
    return said


def _rejected(said: ApiError) -> DssyncError:
    hints = (
        ("scope", f"give the key the scopes dataset:read and dataset:write {_KEYS_PAGE}"),
        ("project", f"give the key access to this project {_KEYS_PAGE}, or use another key"),
        ("feature", "ask whoever runs this PostHog to switch datasets on"),
    )
    default = f"check the key {_KEYS_PAGE}"
    hint = next((hint for word, hint in hints if word in said.detail), default)
    return KeyRejected(f"the server rejects the key: {said.detail}", hint=hint)


def _as(kind: type[ApiError], said: ApiError) -> ApiError:
    return kind(
        said.status,
        said.detail,
        error_type=said.error_type,
        error_code=said.error_code,
        attr=said.attr,
    )


_REFUSALS: Mapping[int, Callable[[ApiError], DssyncError]] = {
    400: _invalid,
    401: _rejected,
    403: _rejected,
    404: _not_found,
}
