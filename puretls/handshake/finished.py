"""The end of a handshake, for both roles: Finished is sent and checked, and the outcome established (RFC 5246 7.4.9)."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import cache
from typing import Any

from puretls import schedule
from puretls.errors import PeerError, Reason
from puretls.events import HandshakeCompleted
from puretls.handshake.context import C, Context, Established, Secrets
from puretls.handshake.effects import SEND_CHANGE_CIPHER_SPEC, ChangeWriteKeys, Effect, Emit, Send, Update
from puretls.handshake.keys import protection
from puretls.handshake.states import Role
from puretls.messages.handshake import Finished
from puretls.session import Session


def expected_verify_data(context: Context, sender: Role) -> bytes:
    """What `sender`'s Finished must hold over the transcript as it stands (RFC 5246 7.4.9)."""
    label = schedule.CLIENT_FINISHED if sender is Role.CLIENT else schedule.SERVER_FINISHED
    prf = context.config.provider.prf
    return schedule.verify_data(prf, context.suite.prf_hash, context.secrets.master, label, context.handshake_hash())


def _keep_finished(role: Role) -> Callable[[C, Any], C]:
    field = "client_finished" if role is Role.CLIENT else "server_finished"
    return lambda context, message: context.evolve(**{field: message.verify_data})


@cache
def send_finished(role: Role) -> tuple[Effect, ...]:
    """ChangeCipherSpec, new write keys, Finished."""
    return (
        SEND_CHANGE_CIPHER_SPEC,
        ChangeWriteKeys(lambda context: protection(context, role)),
        Send(lambda context: Finished(expected_verify_data(context, role)), _keep_finished(role), Finished),
    )


def check_finished(context: C, message: Finished, peer: Role) -> C:
    """RFC 5246 7.4.9: the peer saw the same handshake and knows the master secret."""
    if not hmac.compare_digest(message.verify_data, expected_verify_data(context, peer)):
        raise PeerError(Reason.BAD_FINISHED, path="Finished.verify_data")
    return _keep_finished(peer)(context, message)


def complete(session_of: Callable[[Any], Session | None]) -> tuple[Effect, ...]:
    """The handshake is over: keep what the next one on this connection needs, and tell the application."""

    def establish(context: C) -> C:
        count = context.established.count + 1 if context.established else 1
        established = Established(
            context.negotiated,
            context.peer,
            context.secrets.master,
            (context.client_finished, context.server_finished),
            count,
        )
        return context.evolve(
            session=session_of(context),
            transcript=b"",
            _offer=None,
            secrets=Secrets(master=context.secrets.master),
            established=established,
        )

    return Update(establish), Emit(lambda context: HandshakeCompleted(context.negotiated, context.session))
