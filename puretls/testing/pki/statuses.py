"""What an authority says of a leaf: CRLs and OCSP responses, with one thing wrong or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import Any

from puretls import danger
from puretls.errors import UsageError
from puretls.testing.pki.defects import UNKNOWN_CRITICAL, flip_last
from puretls.testing.pki.plans import DAY, TIME, Chain, Layer, key, plan, provider_of_signers
from puretls.values import frozen
from puretls.x509 import drafts
from puretls.x509.crl import Crl
from puretls.x509.drafts import CrlDraft, OcspDraft, RevokedEntry, Signer, SingleDraft
from puretls.x509.reports.report import Report
from puretls.x509.revocation import LEAF, Revocation
from puretls.x509.verifier import chain_verifier


@frozen
class Status:
    """What an authority says about the leaf of a chain: a CRL or an OCSP response (`kind`), and what a validator should make of it.

    `rule` is that of the refusal where the status of the leaf is demanded, "" where the chain is accepted.
    """

    kind: str
    der: bytes = field(repr=False)
    chain: Chain
    defect: str = ""
    rule: str = ""

    @property
    def accepted(self) -> bool:
        """The expected verdict of whoever demands to know."""
        return not self.rule

    def verify(self) -> Report:
        """What puretls says of the chain, with this and nothing else to go by, and the leaf's status demanded."""
        if self.kind == "crl":
            crls = (Crl.parse(self.der),)
            return self.chain.verify(revocation=Revocation(LEAF, crls=crls))
        request = replace(self.chain.request, ocsp_response=self.der)
        return chain_verifier(self.chain.anchors, provider=provider_of_signers(), revocation=Revocation(LEAF))(request)


@frozen
class _Answer:
    """How an answer is made: `by` signs it, the rest are changes of the draft."""

    rule: str
    by: str = "issuer"
    fields: Mapping[str, Any] = field(default_factory=dict)
    finish: Callable[[bytes], bytes] = bytes


_UNKNOWN_STATUS = "revocation-unknown"
_LATE = {"this_update": TIME - 30 * DAY, "next_update": TIME - DAY}
_EARLY = {"this_update": TIME + DAY, "next_update": TIME + 2 * DAY}
STATUS_DEFECTS: Mapping[str, Mapping[str, _Answer]] = {
    "crl": {
        "": _Answer(""),
        "revoked": _Answer("revoked"),
        "out of date": _Answer(_UNKNOWN_STATUS, fields=_LATE),
        "of the future": _Answer(_UNKNOWN_STATUS, fields=_EARLY),
        "bad signature": _Answer(_UNKNOWN_STATUS, finish=flip_last),
        "of another authority": _Answer(_UNKNOWN_STATUS, by="stranger"),
        "unknown critical extension": _Answer(_UNKNOWN_STATUS, fields={"more": UNKNOWN_CRITICAL}),
    },
    "ocsp": {
        "": _Answer(""),
        "revoked": _Answer("revoked", fields={"status": "revoked"}),
        "unknown": _Answer(_UNKNOWN_STATUS, fields={"status": "unknown"}),
        "out of date": _Answer(_UNKNOWN_STATUS, fields=_LATE),
        "of the future": _Answer(_UNKNOWN_STATUS, fields=_EARLY),
        "bad signature": _Answer(_UNKNOWN_STATUS, finish=flip_last),
        "of a stranger": _Answer(_UNKNOWN_STATUS, by="stranger"),
        "of another certificate": _Answer(_UNKNOWN_STATUS, fields={"serial": 7}),
        "an error": _Answer(_UNKNOWN_STATUS, finish=lambda der: drafts.ocsp_response(b"", 3)),
    },
}
"""By kind of answer, the name of what is wrong ("" for nothing) and how it is made."""


def status(kind: str, defect: str = "", *, depth: int = 1, others: tuple[int, ...] = ()) -> Status:
    """A CRL ("crl") or an OCSP response ("ocsp") about the leaf of a plain chain; `others` are serials that are revoked beside it.

    Raises `UsageError` for a kind or a defect that is none.
    """
    rows = STATUS_DEFECTS.get(kind)
    if rows is None or defect not in rows:
        raise UsageError(f"no answer is called {kind!r} with {defect!r}: see puretls.testing.pki.STATUS_DEFECTS")
    drawn = plan(depth)
    issuer, leaf = drawn.layers[-2], drawn.layers[-1]
    answer = rows[defect]
    signing = issuer.key if answer.by == "issuer" else key("stranger")
    signer = Signer(signing, danger.fixed_random(f"{kind} {defect}".encode()), provider_of_signers())
    if kind == "crl":
        revoked = (leaf.draft.serial, *others) if defect == "revoked" else others
        made = _crl(issuer, signer, answer, revoked)
    else:
        made = _ocsp(issuer, leaf, signer, answer)
    return Status(kind, answer.finish(made), drawn.chain(), defect, answer.rule)


def _crl(issuer: Layer, signer: Signer, answer: _Answer, revoked: tuple[int, ...]) -> bytes:
    fields = dict(answer.fields)
    more = (fields.pop("more"),) if "more" in fields else ()
    entries = tuple(RevokedEntry(serial, TIME - DAY) for serial in dict.fromkeys(revoked))
    extensions = (drafts.authority_key_identifier(issuer.key.public), drafts.crl_number(1), *more)
    draft = CrlDraft(issuer.draft.subject, TIME - 60, TIME + DAY, entries, extensions)
    return replace(draft, **fields).signed(signer)


def _ocsp(issuer: Layer, leaf: Layer, signer: Signer, answer: _Answer) -> bytes:
    fields = dict(answer.fields)
    serial = fields.pop("serial", leaf.draft.serial)
    identifier = drafts.cert_id(issuer.draft.subject, issuer.key.public, serial)
    single = replace(SingleDraft(identifier, TIME - 60, TIME + DAY, revoked_at=TIME - DAY), **fields)
    return OcspDraft(signer.key.public, single.this_update, (single,)).signed(signer)
