"""Who calls: the dependency that every route of results has."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from pulmo.core.errors import InputError
from pulmo.daemon.audit_log import LOCAL
from pulmo.serve.service import Caller, Service
from pulmo.serve.tokens import Holder

_BEARER = HTTPBearer(auto_error=False, description="A token of `pulmo serve token create`.")


def service_of(request: Request) -> Service:
    """Returns the service of the application."""
    service: Service = request.app.state.service
    return service


async def caller_of(
    request: Request,
    service: Annotated[Service, Depends(service_of)],
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Caller:
    """Returns who calls.

    Raises:
        InputError: a token is needed and missing, or the one that was sent is not valid.
    """
    if given is None and service.needs_token:
        raise InputError("token-missing", "This call needs a token.")
    # Without a token only the users of this machine call, who can read the database as well.
    holder = (
        Holder(LOCAL, sees_all=True) if given is None else await service.holder(given.credentials)
    )
    if holder is None:
        raise InputError("token-unknown", "The token is unknown or was revoked.")
    request.state.who = holder.name
    return Caller(holder.name, request.state.request_id, holder.sees_all)


ServiceOf = Annotated[Service, Depends(service_of)]
CallerOf = Annotated[Caller, Depends(caller_of)]
