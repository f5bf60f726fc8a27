"""The refusals that people meet most: a label, and the report."""

from puretls.der import oids
from puretls.x509 import drafts
from puretls.x509.crl import Crl
from puretls.x509.revocation import SOFT, Revocation
from tests.x509.chains import LEAF_USAGE, NOW, PROVIDER, SERVER, authority, leaf, random, root, verify

DAY = 86_400
WWW = "www.example.org"
SAN = drafts.subject_alt_name([WWW, "example.org"])


def www(above, **changes):
    return leaf(above, name=WWW, label=WWW, san=SAN, **changes)


def reports():
    """Label -> report."""
    top = root("Example Root")
    middle = authority(top, "Example Issuing CA")

    def chain(host=WWW, anchors=(top,), **changes):
        options = {"revocation": changes.pop("revocation", None)}
        return verify([www(middle, **changes), middle], anchors, host=host, **options)

    revoked = www(middle)
    return {
        "expired": chain(not_after=NOW - 3 * DAY),
        "not yet valid": chain(not_before=NOW + 3 * DAY),
        "wrong host": chain(host="mail.example.org"),
        "unknown issuer": chain(anchors=[root("Another Root")]),
        "self-signed": verify([root(WWW, basic=b"", usage=LEAF_USAGE, more=(SERVER, SAN))], [top], host=WWW),
        "missing intermediate": verify(
            [www(middle, more=(drafts.authority_info_access(issuers=["http://ca.example.org/issuing.cer"]),))], [top], host=WWW),
        "not a CA": _under_a_leaf(top),
        "wrong purpose": chain(eku=drafts.extended_key_usage(oids.CLIENT_AUTH)),
        "revoked": verify([revoked, middle], [top], host=WWW, revocation=Revocation(SOFT, crls=(_crl(middle, revoked),))),
    }  # fmt: skip


def _under_a_leaf(top):
    above = leaf(top, name="shop.example.org", label="shop", san=drafts.subject_alt_name(["shop.example.org"]))
    return verify([www(above), above], [top], host=WWW)


def _crl(above, revoked):
    entry = drafts.RevokedEntry(revoked.draft.serial, NOW - DAY, 1)
    extensions = (drafts.authority_key_identifier(above.key.public), drafts.crl_number(7))
    draft = drafts.CrlDraft(above.name, NOW - 3600, NOW + DAY, (entry,), extensions)
    return Crl.parse(draft.signed(drafts.Signer(above.key, random, PROVIDER)))
