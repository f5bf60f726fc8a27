"""Options that `connect` and `serve` share, and the configurations that they make."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from puretls.cli import ranges, tapes
from puretls.errors import DecodeError, UsageError

if TYPE_CHECKING:
    from puretls.config import ClientConfig, Credential, ServerConfig, Verifier
    from puretls.extensions import Extension
    from puretls.session import Session
    from puretls.x509.path.trust import TrustStore

T = TypeVar("T")


def add_client_options(parser: argparse.ArgumentParser) -> None:
    """What only a client has, and what both have."""
    parser.add_argument("--ca", metavar="FILE", help="certificates to trust (PEM) instead of the system's")
    parser.add_argument("--servername", metavar="NAME", help="name to ask for and to verify, instead of HOST")
    parser.add_argument("--cert", metavar="FILE", action="append", default=[], help="client certificate chain (PEM)")
    parser.add_argument("--key", metavar="FILE", action="append", default=[], help="its private key (PEM)")
    parser.add_argument("--password", metavar="TEXT", help="of an encrypted --key")
    parser.add_argument("--session-file", metavar="FILE", help="resume the session kept here, and keep the new one")
    parser.add_argument("--no-tickets", action="store_true", help="ask for no session ticket")
    parser.add_argument("--ocsp", action="store_true", help="tell whether an OCSP response was stapled")
    parser.add_argument("--sct", action="store_true", help="tell whether certificate timestamps came along")
    parser.add_argument("--exporter", metavar="LABEL:LEN", type=_exporter, help="export keying material (RFC 5705), print it")
    parser.add_argument("--danger-no-verify", action="store_true", help="accept any certificate, an impostor's too")
    _add_common_options(parser)


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """What only a server has, and what both have."""
    parser.add_argument("--cert", metavar="FILE", action="append", default=[], help="certificate chain (PEM); repeatable")
    parser.add_argument("--key", metavar="FILE", action="append", default=[], help="its private key (PEM), in the same order")
    parser.add_argument("--password", metavar="TEXT", help="of each encrypted --key")
    parser.add_argument("--client-ca", metavar="FILE", help="ask clients for a certificate issued by one of these (PEM)")
    parser.add_argument("--require-client-cert", action="store_true", help="refuse clients without a certificate")
    parser.add_argument("--no-tickets", action="store_true", help="issue no session tickets")
    parser.add_argument(
        "--refuse-unknown-names", action="store_true", help="refuse clients that ask for a name no certificate is made for"
    )
    parser.add_argument("--ocsp", metavar="FILE", help="OCSP response (DER) to staple for the first certificate")
    parser.add_argument("--sct", metavar="FILE", help="SignedCertificateTimestampList to send for the first certificate")
    parser.add_argument("--redis", metavar="URL", help="share sessions and ticket keys with other servers through Redis; sealed")
    parser.add_argument("--redis-secret", metavar="FILE", help="32 bytes in hexadecimal under which they are sealed, the same for all")
    parser.add_argument("--psk-hint", metavar="HINT", help="identity hint for clients with a pre-shared key")
    _add_common_options(parser)


def _add_common_options(parser: argparse.ArgumentParser) -> None:
    ciphers = (
        "suites: IANA's or OpenSSL's names, or an OpenSSL cipher string; in [A|B] a server leaves the choice to the client; "
        "puretls list suites --ciphers LIST shows what that means"
    )
    parser.add_argument("--ciphers", metavar="LIST", help=ciphers)
    parser.add_argument("--groups", metavar="LIST", help="key exchange groups, such as x25519,P-256")
    parser.add_argument("--sigalgs", metavar="LIST", help="signature algorithms, such as ed25519,RSA+SHA256")
    parser.add_argument("--alpn", metavar="LIST", help="application protocols, such as h2,http/1.1")
    parser.add_argument("--psk", metavar="HEX", help="pre-shared key; adds PSK suites")
    parser.add_argument("--psk-identity", metavar="NAME", default="Client_identity", help="identity of the key (%(default)s)")
    parser.add_argument("--renegotiation", action="store_true", help="grant the peer a secure renegotiation")
    parser.add_argument("--max-fragment", metavar="N", type=ranges.FRAGMENT, help="max_fragment_length: 512, 1024, 2048 or 4096")
    parser.add_argument("--record-size-limit", metavar="N", type=ranges.RECORD_SIZE, help="record_size_limit: 64 to 16384")
    parser.add_argument(
        "--danger-suites",
        action="store_true",
        help="allow suites for teaching: 3DES, RC4, NULL, anonymous; words such as kRSA or ALL in --ciphers bring theirs along then",
    )
    parser.add_argument("--keylog", metavar="FILE", help="append secrets in NSS format (default: the variable SSLKEYLOGFILE)")
    parser.add_argument("--trace", action="store_true", help="print every record and message, annotated")
    tapes.add_seed(parser, "all entropy of ours follows from this number; the clock goes on")


def client_config(arguments: argparse.Namespace) -> ClientConfig:
    """The configuration of `connect`. Raises `UsageError`, `DecodeError` and `OSError`."""
    from puretls.config import ClientConfig

    shared = _shared(arguments)
    if arguments.psk:
        identity, key = os.fsencode(arguments.psk_identity), _hexadecimal(arguments.psk, "--psk takes")
        shared["psk"] = lambda hint: (identity, key)
    return ClientConfig(
        verifier=server_verifier(arguments),
        credentials=_credentials(arguments),
        tickets=not arguments.no_tickets,
        key_log=_key_log(arguments),
        **shared,
    )


def server_configurations(arguments: argparse.Namespace) -> Callable[[], ServerConfig]:
    """What makes the configuration of `serve`, at first and whenever its files are to be read again.

    What all of them share is opened here: the key log, and the sessions in Redis. Both raise `UsageError`, `DecodeError` and `OSError`.
    """
    kept = {"key_log": _key_log(arguments), **_sessions_in_redis(arguments)}
    return lambda: _server_config(arguments, kept)


def _server_config(arguments: argparse.Namespace, kept: dict[str, Any]) -> ServerConfig:
    from puretls import algorithm_names
    from puretls.config import ServerConfig

    if not (arguments.cert or arguments.psk or arguments.ciphers):
        raise UsageError("a server needs a credential: --cert FILE --key FILE, which `puretls ca` makes, or --psk HEX")
    shared = _shared(arguments) | kept
    if arguments.psk:
        identity, key = os.fsencode(arguments.psk_identity), _hexadecimal(arguments.psk, "--psk takes")
        shared["psk"] = lambda shown: key if shown == identity else None
    if arguments.no_tickets:
        shared["tickets"] = None
    if arguments.require_client_cert and not arguments.client_ca:
        raise UsageError("--require-client-cert needs --client-ca: whom to trust")
    if arguments.client_ca:
        if arguments.ask_later is None:
            shared["client_authentication"] = "require" if arguments.require_client_cert else "request"
        shared["verifier"], shared["certificate_authorities"] = _client_verifier(arguments.client_ca)
    if arguments.ciphers:
        shared["equal_suites"] = algorithm_names.equal_suites(arguments.ciphers, danger=arguments.danger_suites)
    hint = os.fsencode(arguments.psk_hint) if arguments.psk_hint else None
    shared["refuse_unknown_names"] = arguments.refuse_unknown_names
    return ServerConfig(credentials=_credentials(arguments), psk_hint=hint, **shared)


def _shared(arguments: argparse.Namespace) -> dict[str, Any]:
    from puretls import algorithm_names
    from puretls.cli import hint

    shared: dict[str, Any] = {
        "extensions": _extensions(arguments),
        "renegotiation": arguments.renegotiation,
        "danger_suites": arguments.danger_suites,
    }
    seed = tapes.seed_of(arguments)
    if seed is not None:
        from puretls.danger import fixed_random

        shared["random"] = fixed_random(seed.encode())
    if arguments.ciphers:
        with hint("`puretls list suites` tells what there is", algorithm_names.UnknownName):
            shared["suites"] = algorithm_names.suites(arguments.ciphers, danger=arguments.danger_suites)
    if arguments.groups:
        with hint("`puretls list groups` tells what there is", algorithm_names.UnknownName):
            shared["groups"] = algorithm_names.groups(arguments.groups)
    if arguments.sigalgs:
        with hint("`puretls list sigalgs` tells what there is", algorithm_names.UnknownName):
            shared["signature_schemes"] = algorithm_names.signature_schemes(arguments.sigalgs)
    return shared


def _extensions(arguments: argparse.Namespace) -> tuple[Extension, ...]:
    from puretls.algorithm_names import split_list
    from puretls.extensions import Alpn, MaxFragmentLength, RecordSizeLimit

    made: list[Extension] = []
    if arguments.alpn:
        made.append(Alpn(*split_list(arguments.alpn)))
    if arguments.max_fragment is not None:
        made.append(MaxFragmentLength(arguments.max_fragment))
    if arguments.record_size_limit is not None:
        made.append(RecordSizeLimit(arguments.record_size_limit))
    return tuple(made)


def _key_log(arguments: argparse.Namespace) -> Callable[[str], None] | None:
    path = arguments.keylog or os.environ.get("SSLKEYLOGFILE")
    if not path:
        return None
    from puretls.net.keylog_file import KeyLogFile

    return KeyLogFile(path)


def _sessions_in_redis(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields of a configuration whose sessions and ticket keys are in Redis; none without --redis."""
    if arguments.redis is None or arguments.redis_secret is None:
        if arguments.redis is not arguments.redis_secret:
            raise UsageError("--redis URL and --redis-secret FILE go together: what lies in Redis is sealed under that secret")
        return {}
    if arguments.danger_seed is not None:
        raise UsageError("--danger-seed is for one process: what others put into Redis does not follow from it")
    from puretls.net.shared import SECRET_LENGTH, Redis, SharedSessions, SharedTicketKeys

    secret = _load(arguments.redis_secret, lambda data: _hexadecimal(data.decode("ascii", "replace"), "the secret has"))
    if len(secret) != SECRET_LENGTH:
        told = f"the secret has {2 * SECRET_LENGTH} hexadecimal digits, as from: openssl rand -hex {SECRET_LENGTH}"
        raise UsageError(f"{arguments.redis_secret}: {told}")
    keys = SharedTicketKeys(Redis.from_url(arguments.redis), secret)
    return {"tickets": keys, "session_cache": SharedSessions(keys)}


def _credentials(arguments: argparse.Namespace) -> tuple[Credential, ...]:
    """A `--key` for each `--cert`; a key may also lie in the certificate's file."""
    if len(arguments.key) > len(arguments.cert):
        raise UsageError("--key without its --cert")
    keys = arguments.key + arguments.cert[len(arguments.key) :]
    made = [_credential(cert, key, arguments.password) for cert, key in zip(arguments.cert, keys, strict=True)]
    return tuple(_stapled(credential, arguments) if index == 0 else credential for index, credential in enumerate(made))


def _credential(cert: str, key: str, password: str | None) -> Credential:
    from puretls.config import Credential
    from puretls.x509.keys import parse_private_key
    from puretls.x509.pem import load_certificates

    chain = _load(cert, load_certificates)
    if key == cert and b"PRIVATE KEY-----" not in Path(cert).read_bytes():
        raise UsageError(f"{cert}: no private key beside the certificate: name its file with --key")
    private = _load(key, lambda data: parse_private_key(data, password))
    try:
        return Credential(chain, private)
    except UsageError as error:
        raise UsageError(f"{cert} and {key}: {error}") from None


def _stapled(credential: Credential, arguments: argparse.Namespace) -> Credential:
    from dataclasses import replace

    from puretls.x509.ocsp import OcspResponse

    if isinstance(arguments.ocsp, str):
        credential = replace(credential, ocsp_response=_load(arguments.ocsp, lambda data: OcspResponse.parse(data).raw))
    if isinstance(arguments.sct, str):
        credential = _load(arguments.sct, lambda data: replace(credential, sct_list=data))
    return credential


def _load(path: str, parse: Callable[[bytes], T]) -> T:
    """The parsed content of a file; a `UsageError` names the file."""
    try:
        return parse(Path(path).read_bytes())
    except (DecodeError, UsageError) as error:
        raise UsageError(f"{path}: {error}") from None


def _exporter(text: str) -> tuple[bytes, int]:
    """LABEL:LEN for argparse, which reports the error."""
    from puretls.connection.exporters import MAX_LENGTH

    label, _, length = text.rpartition(":")
    if not label or not length.isdigit() or not 0 < int(length) <= MAX_LENGTH:
        raise argparse.ArgumentTypeError(f"{text!r} is not LABEL:LEN with a length of 1 to {MAX_LENGTH} bytes")
    return os.fsencode(label), int(length)


def _hexadecimal(text: str, who: str) -> bytes:
    from puretls.crypto.secret import Secret

    try:
        return Secret(bytes.fromhex(text))
    except ValueError:
        raise UsageError(f"{who} hexadecimal digits") from None


def load_session(path: str | None) -> Session | None:
    """The session kept in `path`; None where there is no file yet, or one that an earlier version wrote."""
    from puretls.session import FORMAT, Session

    if not path or not os.path.exists(path):
        return None
    return _load(path, lambda data: None if b"\0" < data[:1] < bytes((FORMAT,)) else Session.from_bytes(data))


def save_session(path: str | None, session: Session | None) -> None:
    """Keep `session` where only the owner may read it: it holds a secret."""
    if not path or session is None:
        return
    from puretls.net.secret_files import write_secret

    write_secret(path, session.to_bytes())


def server_verifier(arguments: argparse.Namespace) -> Verifier:
    """How a server's chain is judged: by --ca, the system's anchors, or not at all (--danger-no-verify)."""
    from puretls.crypto.provider import default
    from puretls.x509.verifier import chain_verifier

    if arguments.danger_no_verify:
        from puretls.danger import accept_any_chain

        return accept_any_chain
    if arguments.ca:
        return chain_verifier([load_anchors(arguments.ca)], provider=default(), random=os.urandom)
    from puretls.roots import system_verifier

    return system_verifier()


def _client_verifier(path: str) -> tuple[Verifier, tuple[bytes, ...]]:
    """A verifier of clients' chains, and the names to ask for (RFC 5246 7.4.4)."""
    from puretls.crypto.provider import default
    from puretls.x509.verifier import chain_verifier

    store = load_anchors(path)
    return chain_verifier([store], provider=default(), random=os.urandom), tuple(certificate.subject.raw for certificate in store)


def load_anchors(path: str) -> TrustStore:
    """The trust anchors in a file: what cannot be used is named on standard error, block by block, and the rest is used."""
    from puretls.text import printable
    from puretls.x509.path.anchors import read_anchors

    store = _load(path, read_anchors)
    for fault in store.faults:
        print(f"puretls: {printable(path)}: not trusted: {printable(fault)}", file=sys.stderr)
    return store
