"""The exceptions of puretls and the catalogue of reasons; the alert follows from the reason, here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NoReturn

from puretls.iana import AlertDescription as A
from puretls.nearest import Placed, nearest
from puretls.text import counted, printable


class PuretlsError(Exception):
    """Base of every exception that puretls raises on purpose. Its text is one line and safe to show, whoever wrote parts of it."""

    def __str__(self) -> str:
        return printable(self._sentence())

    def _sentence(self) -> str:
        """The text before escaping. Subclasses override this method and not `__str__`, which escapes what a peer may have written."""
        return super().__str__()


class UsageError(PuretlsError, ValueError):
    """The caller is at fault. The text says what to do."""


class CallbackError(UsageError):
    """A call-back of the application raised something, and the connection ended with internal_error.

    `name` says which call-back; what it raised is `__cause__`, and not in the text, for it may hold secrets.
    """

    def __init__(self, name: str, error: BaseException) -> None:
        super().__init__(f"{name} raised {type(error).__name__}: a call-back must not raise, or only exceptions of puretls")
        self.name = name


def raise_of_callback(name: str, function: object, error: Exception) -> NoReturn:
    """Raise what a call-back of the application raised, as `CallbackError`: in the `except` clause around its call.

    Exceptions of puretls pass, and so does whatever a function of puretls raises: that is a defect.
    """
    ours = (getattr(function, "__module__", None) or "").startswith("puretls.")
    if ours or isinstance(error, PuretlsError):
        raise error
    raise CallbackError(name, error) from error


class calling:
    """`with calling("psk", function):` around a call of the application's function: its exceptions leave as `CallbackError`.

    For calls that are rare; where they are not, a plain `try` with `raise_of_callback` costs nothing while nothing is raised.
    """

    __slots__ = ("_function", "_name")

    def __init__(self, name: str, function: object) -> None:
        self._name, self._function = name, function

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, Exception):
            raise_of_callback(self._name, self._function, error)


class InternalError(PuretlsError):
    """puretls is at fault; please report it."""


class DangerWarning(UserWarning):
    """Something that weakens security was switched on under a name that a mirrored API prescribes."""


class DecodeError(PuretlsError):
    """Bytes that do not parse.

    `path` names the field ("ServerHello.session_id"), `offset` counts bytes from the start of the parsed buffer, `rfc` is the section
    that was broken.
    """

    def __init__(self, message: str, *, path: str = "", offset: int = 0, rfc: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.offset = offset
        self.rfc = rfc

    def within(self, prefix: str) -> DecodeError:
        """The same error, one level further out: `prefix` is put before the path."""
        return DecodeError(self.message, path=prefix + self.path, offset=self.offset, rfc=self.rfc)

    def _sentence(self) -> str:
        place = f"{self.path} at byte {self.offset}: " if self.path else f"at byte {self.offset}: "
        return place + self.message + (f" ({self.rfc})" if self.rfc else "")


class Reason(Enum):
    """Why a connection was given up: the alert to send, the rule's source, a sentence."""

    def __init__(self, alert: A, rfc: str, sentence: str) -> None:
        self.alert = alert
        self.rfc = rfc
        self.sentence = sentence

    # Records
    NOT_TLS = A.UNEXPECTED_MESSAGE, "RFC 5246 6.2.1", "the peer does not speak TLS"
    SSLV2_HELLO = A.PROTOCOL_VERSION, "RFC 6176 3", "the peer sent an SSL 2.0 hello"
    UNKNOWN_CONTENT_TYPE = A.UNEXPECTED_MESSAGE, "RFC 5246 6", "record of an unknown content type"
    WRONG_RECORD_VERSION = A.PROTOCOL_VERSION, "RFC 5246 6.2.1", "record version is not that of the connection"
    RECORD_OVERFLOW = A.RECORD_OVERFLOW, "RFC 5246 6.2", "record longer than allowed"
    BAD_RECORD_MAC = A.BAD_RECORD_MAC, "RFC 5246 6.2.3", "record could not be authenticated"
    TOO_MANY_EMPTY_RECORDS = A.UNEXPECTED_MESSAGE, "RFC 5246 6.2.1", "flood of empty records"
    EMPTY_RECORD = A.UNEXPECTED_MESSAGE, "RFC 5246 6.2.1", "empty record of a type that must carry something"
    TOO_MANY_WARNINGS = A.UNEXPECTED_MESSAGE, "RFC 5246 7.2", "flood of warning alerts"
    BAD_ALERT = A.DECODE_ERROR, "RFC 5246 7.2", "malformed alert"
    UNKNOWN_ALERT_LEVEL = A.ILLEGAL_PARAMETER, "RFC 5246 7.2", "alert of a level that is neither warning nor fatal"
    BAD_CHANGE_CIPHER_SPEC = A.UNEXPECTED_MESSAGE, "RFC 5246 7.1", "malformed ChangeCipherSpec"

    # Handshake messages
    DECODE = A.DECODE_ERROR, "RFC 5246 7.2.2", "malformed message"
    UNEXPECTED_MESSAGE = A.UNEXPECTED_MESSAGE, "RFC 5246 7.3", "message in the wrong state"
    UNALIGNED_CHANGE_CIPHER_SPEC = A.UNEXPECTED_MESSAGE, "RFC 5246 7.1", "ChangeCipherSpec inside a fragmented handshake message"
    EXCESS_HANDSHAKE_DATA = (
        A.UNEXPECTED_MESSAGE,
        "RFC 5246 7.3",
        "handshake data left over where the keys change or the flight ends",
    )
    MESSAGE_TOO_LONG = A.DECODE_ERROR, "RFC 5246 7.4", "handshake message longer than the limit"
    CHAIN_TOO_LONG = A.BAD_CERTIFICATE, "RFC 5246 7.4.2", "more certificates than the limit"
    TOO_MANY_HELLO_REQUESTS = A.UNEXPECTED_MESSAGE, "RFC 5246 7.4.1.1", "flood of HelloRequests"

    # Hello
    VERSION_TOO_OLD = A.PROTOCOL_VERSION, "RFC 5246 E.1", "the peer speaks nothing newer than TLS 1.1"
    VERSION_NOT_OFFERED = A.PROTOCOL_VERSION, "RFC 5246 7.4.1.3", "server chose a version the client did not offer"
    TLS_1_2_NOT_SUPPORTED = A.PROTOCOL_VERSION, "RFC 8446 4.2.1", "the peer's supported_versions leaves TLS 1.2 out"
    VERSION_CHANGED = A.PROTOCOL_VERSION, "RFC 5746 3.7", "version differs from that of the connection"
    INAPPROPRIATE_FALLBACK = A.INAPPROPRIATE_FALLBACK, "RFC 7507 3", "fallback to a lower version that was not needed"
    NO_NULL_COMPRESSION = A.ILLEGAL_PARAMETER, "RFC 5246 7.4.1.2", "client does not offer null compression"
    COMPRESSION_NOT_OFFERED = A.ILLEGAL_PARAMETER, "RFC 5246 7.4.1.3", "server chose a compression the client did not offer"
    NO_SHARED_DH_GROUP = A.INSUFFICIENT_SECURITY, "RFC 7919 4", "no finite-field group in common for the suites in common"
    NO_SHARED_SUITE = A.HANDSHAKE_FAILURE, "RFC 5246 7.4.1.3", "no cipher suite in common that fits the certificates and groups"
    SUITE_NOT_OFFERED = A.ILLEGAL_PARAMETER, "RFC 5246 7.4.1.3", "server selected a suite the client did not offer"
    SESSION_SUITE_MISMATCH = A.ILLEGAL_PARAMETER, "RFC 5246 7.4.1.3", "server resumed a session under another suite"
    SESSION_SUITE_NOT_OFFERED = A.ILLEGAL_PARAMETER, "RFC 5246 7.4.1.2", "client resumes a session without offering its suite"
    DUPLICATE_EXTENSION = A.DECODE_ERROR, "RFC 5246 7.4.1.4", "extension given twice"
    EXTENSION_NOT_OFFERED = A.UNSUPPORTED_EXTENSION, "RFC 5246 7.4.1.4", "server answered an extension the client did not offer"
    MALFORMED_EXTENSION = A.DECODE_ERROR, "RFC 5246 7.4.1.4", "malformed extension"
    EXTENSION_NOT_IN_SERVER_HELLO = A.UNSUPPORTED_EXTENSION, "RFC 5246 7.4.1.4", "extension that a ServerHello must not carry"
    ILLEGAL_EXTENSION_VALUE = A.ILLEGAL_PARAMETER, "RFC 5246 7.4.1.4", "extension with a value it must not have"
    UNRECOGNIZED_NAME = A.UNRECOGNIZED_NAME, "RFC 6066 3", "no certificate for the server name asked for"
    NO_APPLICATION_PROTOCOL = A.NO_APPLICATION_PROTOCOL, "RFC 7301 3.2", "no application protocol in common"
    ALPN_NOT_OFFERED = A.ILLEGAL_PARAMETER, "RFC 7301 3.1", "server chose an application protocol the client did not offer"
    BAD_FRAGMENT_LENGTH = A.ILLEGAL_PARAMETER, "RFC 6066 4", "fragment length not as requested, or not one of the four"
    BAD_RECORD_SIZE_LIMIT = A.ILLEGAL_PARAMETER, "RFC 8449 4", "record size limit out of range"
    NO_UNCOMPRESSED_POINTS = A.ILLEGAL_PARAMETER, "RFC 8422 5.1.2", "ec_point_formats without the uncompressed form"
    ETM_WITHOUT_CBC = A.ILLEGAL_PARAMETER, "RFC 7366 3", "encrypt_then_mac with a suite that has no CBC"
    ETM_DROPPED = A.HANDSHAKE_FAILURE, "RFC 7366 3.1", "encrypt_then_mac was dropped in a renegotiation"
    EMS_REQUIRED = A.HANDSHAKE_FAILURE, "RFC 7627 5.2", "the peer does not support extended_master_secret"
    EMS_MISMATCH = A.HANDSHAKE_FAILURE, "RFC 7627 5.3", "extended_master_secret differs between the session and its resumption"
    RENEGOTIATION_INFO_MISMATCH = A.HANDSHAKE_FAILURE, "RFC 5746 3", "renegotiation_info does not match the connection"
    INSECURE_RENEGOTIATION = A.HANDSHAKE_FAILURE, "RFC 5746 4.1", "the peer does not support secure renegotiation"
    NO_RENEGOTIATION = A.NO_RENEGOTIATION, "RFC 5246 7.2.2", "renegotiation is not wanted here"
    IDENTITY_CHANGED = A.ILLEGAL_PARAMETER, "RFC 7627 6.3", "the peer's certificate changed in renegotiation"

    # Key exchange
    GROUP_NOT_OFFERED = A.ILLEGAL_PARAMETER, "RFC 8422 5.4", "server chose a group the client did not offer"
    NOT_A_NAMED_CURVE = A.ILLEGAL_PARAMETER, "RFC 8422 5.4", "server did not name its curve"
    BAD_PUBLIC_VALUE = A.ILLEGAL_PARAMETER, "RFC 8422 5.11", "public value is not one of the group"
    WEAK_DH_GROUP = A.INSUFFICIENT_SECURITY, "RFC 7919 3", "finite-field group too small or malformed"
    SCHEME_NOT_OFFERED = A.ILLEGAL_PARAMETER, "RFC 5246 7.4.3", "signed with an algorithm that was not offered"
    SCHEME_DOES_NOT_FIT = A.ILLEGAL_PARAMETER, "RFC 5246 7.4.3", "signature algorithm does not fit the certificate's key"
    NO_SHARED_SCHEME = A.HANDSHAKE_FAILURE, "RFC 5246 7.4.1.4.1", "no signature algorithm in common"
    BAD_SIGNATURE = A.DECRYPT_ERROR, "RFC 5246 7.2.2", "the signature over the handshake does not verify"
    BAD_FINISHED = A.DECRYPT_ERROR, "RFC 5246 7.4.9", "verify_data does not match the handshake as seen here"
    UNKNOWN_PSK_IDENTITY = A.UNKNOWN_PSK_IDENTITY, "RFC 4279 2", "no key for this PSK identity"
    NO_PSK = A.HANDSHAKE_FAILURE, "RFC 4279 2", "no pre-shared key for this server"
    ANONYMOUS_REQUEST = A.HANDSHAKE_FAILURE, "RFC 5246 7.4.4", "an anonymous server asked for a certificate"

    # Certificates
    EMPTY_SERVER_CHAIN = A.DECODE_ERROR, "RFC 5246 7.4.2", "server sent no certificate"
    CLIENT_CERTIFICATE_REQUIRED = A.HANDSHAKE_FAILURE, "RFC 5246 7.4.6", "client sent no certificate, and one is required"
    BAD_CERTIFICATE = A.BAD_CERTIFICATE, "RFC 5246 7.4.2", "the certificate cannot be parsed"
    UNSUPPORTED_KEY = A.UNSUPPORTED_CERTIFICATE, "RFC 5246 7.4.2", "the certificate's key is of no kind, curve or form that is known here"
    WRONG_KEY_TYPE = A.UNSUPPORTED_CERTIFICATE, "RFC 5246 7.4.2", "the certificate's key does not fit the cipher suite"
    WRONG_KEY_USAGE = A.UNSUPPORTED_CERTIFICATE, "RFC 5246 7.4.2", "the certificate's key usage does not allow this key exchange"
    VERIFICATION_FAILED = A.CERTIFICATE_UNKNOWN, "RFC 5280 6", "the certificate chain was refused"
    BAD_STATUS_RESPONSE = A.BAD_CERTIFICATE_STATUS_RESPONSE, "RFC 6066 8", "the stapled certificate status is not valid"


class TlsError(PuretlsError):
    """A connection ended in another way than by close_notify."""


class Aborted(TlsError):
    """The application gave the connection up by `Connection.abort`; `alert_sent` tells whether the peer hears of it."""

    def __init__(self, alert: A, state: str = "") -> None:
        super().__init__(alert, state)
        self.alert = alert
        self.state = state
        self.alert_sent = False

    def _sentence(self) -> str:
        sent = f"alert {self.alert.name.lower()}" if self.alert_sent else "no alert was sent"
        return f"the application gave the connection up; state {self.state}; {sent} [RFC 5246 7.2]"


class KeyLimitReached(TlsError):
    """A key has protected as much as it may (`Limits.records_per_key`, `bytes_per_key_64`): nobody's fault; connect anew.

    The peer is told internal_error where a key is left to say it with.
    """

    def __init__(self, records: int, count: int) -> None:
        used = f"{counted(records, 'record')}, {counted(count, 'byte')}"
        super().__init__(f"{used} under one key are more than its limit: connect anew or renegotiate earlier [RFC 5246 6.1]")


class PeerError(TlsError):
    """The peer broke a rule, or offered nothing that will do; `alert` has been queued for it, unless `alert_sent` is False.

    An alert is not sent after our close_notify, under a key that is used up, and by a fork.

    `path` names the field at fault in the byte map of the message or record (`paths` has the grammar), `offset` its first byte there,
    from the first byte of the message's header; both are absent where no byte is at fault. `about` is the field as whoever raised the
    error named it: where that is a list or a struct, `path` is the first field in it. `state` is the state in which it happened.
    """

    def __init__(
        self, reason: Reason, detail: str = "", *, path: str = "", offset: int | None = None, state: str = "", rfc: str = ""
    ) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
        self.path: str = path
        self.about: str = path
        self.offset = offset
        self.state = state
        self.rfc: str = rfc or reason.rfc
        self.alert_sent = True

    @property
    def alert(self) -> A:
        """The alert that tells the peer."""
        return self.reason.alert

    def place(self, spans: Iterable[Placed]) -> None:
        """Name the bytes at fault: `path` and `offset` become those of the span, among `spans`, that `path` is about."""
        span = nearest(spans, self.path)
        if span is not None:
            self.about, self.path, self.offset = self.path, span.path, span.start

    def _sentence(self) -> str:
        text = self.reason.sentence + (f": {self.detail}" if self.detail else "")
        if self.path:
            text += f"; field {self.path}" + (f" at byte {self.offset}" if self.offset is not None else "")
        if self.state:
            text += f"; state {self.state}"
        return f"{text}; alert {self.alert.name.lower()}{'' if self.alert_sent else ' (not sent)'} [{self.rfc}]"


class VerificationError(PeerError):
    """The peer's certificate chain was refused; `report` says by what rule, and which certificate."""

    def __init__(self, report: object, alert: A, *, state: str = "", path: str = "") -> None:
        super().__init__(Reason.VERIFICATION_FAILED, str(report), state=state, path=path)
        self.report = report
        self._alert = alert

    @property
    def alert(self) -> A:
        return self._alert


class FatalAlert(TlsError):
    """The peer gave the connection up and said so."""

    def __init__(self, description: int, state: str = "") -> None:
        super().__init__(description, state)
        self.description = description
        self.state = state

    @property
    def meaning(self) -> str:
        """What the alert means, in plain words, where it can mean one thing only; else empty."""
        return _EXPLAINED.get((self.description, self.state), "")

    def _sentence(self) -> str:
        name = self.description.name.lower() if isinstance(self.description, A) else f"number {self.description}"
        told = f": {self.meaning}" if self.meaning else ""
        return f"the peer sent the fatal alert {name}{told}" + (f"; state {self.state}" if self.state else "") + " [RFC 5246 7.2]"


_EXPLAINED: dict[tuple[int, str], str] = {
    (A.PROTOCOL_VERSION, "WAIT_SERVER_HELLO"): "puretls speaks TLS 1.2; this server wants newer",
}
"""By alert and state."""


class Truncated(TlsError):
    """The stream ended without close_notify: what was received may not be all that was sent (RFC 5246 7.2.1).

    `received` is what the call that raised had in hand: from a file in text mode text, else bytes.
    """

    def __init__(self, state: str = "") -> None:
        super().__init__(state)
        self.state = state
        self.received: bytes | str = b""

    def _sentence(self) -> str:
        return f"the stream ended without close_notify; state {self.state} [RFC 5246 7.2.1]"
