"""What a server chooses for a full handshake: the first suite for which group, certificate and signature algorithm are there.

RFC 5246 7.4.1.3, 7.4.2 and 7.4.3; RFC 6066 3; RFC 7919 4; RFC 8422 5.1 and 5.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from puretls.config import Credential
from puretls.crypto.keys import EcPublicKey
from puretls.errors import PeerError, Reason
from puretls.extensions import Extension, ServerName, SignatureAlgorithms, SignatureAlgorithmsCert, SupportedGroups
from puretls.handshake.authenticate import IMPLIED_SCHEMES, choose_scheme, curve_of, key_serves, usage_allows
from puretls.handshake.context import ServerContext
from puretls.handshake.hello import extension_path
from puretls.key_exchange import Lack
from puretls.key_exchange.base import Groups
from puretls.suites import Suite
from puretls.values import frozen

Results = dict[type[Extension], Any]
"""What each extension of a ClientHello came to."""


@frozen
class Choice:
    """A suite with what it needs: a certificate, a scheme where something is signed, and the groups that the client lists."""

    suite: Suite
    credential: Credential | None = None
    scheme: int | None = None
    groups: Groups = None


def choose(context: ServerContext, results: Results) -> Choice:
    """The first suite for which group, certificate and signature algorithm are there."""
    config = context.config
    order = [suite.id for suite in context.offer.suites if suite.id in config.suites_by_id]
    if not config.prefer_client_order:
        order.sort(key=config.suite_ranks.__getitem__)  # stable: the client's order among equals
    credentials = _candidates(context, results)
    lacks: dict[Suite, Lack] = {}
    for suite in map(config.suites_by_id.__getitem__, order):
        choice = _feasible(context, results, suite, credentials)
        if isinstance(choice, Choice):
            return choice
        lacks[suite] = choice
    raise PeerError(*_why_nothing_fits(lacks), path="ClientHello.cipher_suites")


def _why_nothing_fits(lacks: Mapping[Suite, Lack]) -> tuple[Reason, str]:
    """The reason is that of what all suites lack, the text names each lack with the suites that have it."""
    if not lacks:
        return Reason.NO_SHARED_SUITE, "none of the offered suites is enabled here"
    kinds = sorted(set(lacks.values()), key=list(Lack).index)
    reason = kinds[0].reason if len(kinds) == 1 else Reason.NO_SHARED_SUITE
    return reason, "; ".join(f"{kind.text} for {_some([suite.name for suite in lacks if lacks[suite] is kind])}" for kind in kinds)


def _some(names: Sequence[str]) -> str:
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _candidates(context: ServerContext, results: Results) -> list[Credential]:
    """Our credentials, those made for the name asked for and signed as the client can check first."""
    config, name = context.config, results.get(ServerName)
    credentials = list(config.credentials)
    if name:
        serving = [credential for credential in credentials if credential.serves(name)]
        if not serving and config.refuse_unknown_names and credentials:
            path = extension_path("ClientHello", context.offer.extensions, ServerName.type, "names")
            raise PeerError(Reason.UNRECOGNIZED_NAME, repr(name), path=path)
        credentials = serving + [credential for credential in credentials if credential not in serving]
    wanted = results.get(SignatureAlgorithmsCert) or results.get(SignatureAlgorithms)
    if wanted and len(credentials) > 1:
        credentials.sort(key=lambda credential: not (credential.checkable_with(wanted) and (not name or credential.serves(name))))
    return credentials


def _feasible(context: ServerContext, results: Results, suite: Suite, credentials: Iterable[Credential]) -> Choice | Lack:
    """What the suite would be done with, or what is missing for it."""
    theirs = results.get(SupportedGroups)
    lack = suite.kx.lack(context.config, theirs)
    if lack is not None:
        return lack
    if not suite.has_certificate:
        return Choice(suite, groups=theirs)
    nearest = Lack.CERTIFICATE
    for credential in credentials:
        fit = _scheme_for(context, results, suite, credential)
        if not isinstance(fit, Lack):
            return Choice(suite, credential, fit, theirs)
        nearest = max(nearest, fit, key=list(Lack).index)
    return nearest


def _scheme_for(context: ServerContext, results: Results, suite: Suite, credential: Credential) -> int | Lack | None:
    """What this certificate would sign with for the suite (None: nothing is signed), or why it cannot carry it."""
    key = credential.public_key
    if not key_serves(key, suite):
        return Lack.CERTIFICATE
    if not usage_allows(credential.leaf, signing=suite.is_signed):
        return Lack.KEY_USAGE
    groups = results.get(SupportedGroups)
    if isinstance(key, EcPublicKey) and groups is not None and curve_of(key) not in groups:
        return Lack.CERTIFICATE_CURVE
    if not suite.is_signed:
        return None
    theirs = results.get(SignatureAlgorithms) or IMPLIED_SCHEMES
    scheme = choose_scheme(context.config.signs_with, theirs, key)
    return Lack.SCHEME if scheme is None else scheme
