"""The seven exceptions of `_ssl`, and the words that programs look for in them.

Light: `import ssl` loads this module, and nothing of the core.
"""

from __future__ import annotations

SSL_ERROR_SSL = 1
SSL_ERROR_WANT_READ = 2
SSL_ERROR_WANT_WRITE = 3
SSL_ERROR_SYSCALL = 5
SSL_ERROR_ZERO_RETURN = 6
SSL_ERROR_EOF = 8
PEM_LIB = 0x80009
"""ERR_R_PEM_LIB: something below failed, in reading PEM."""


class SSLError(OSError):
    """An error occurred in the SSL implementation.

    `library` is "SSL", "PEM", "X509" or None, `reason` OpenSSL's name of what went wrong, such as "WRONG_VERSION_NUMBER", or None.
    """

    library: str | None = None
    reason: str | None = None

    def __str__(self) -> str:
        return self.strerror if isinstance(self.strerror, str) else str(self.args)


class SSLZeroReturnError(SSLError):
    """SSL/TLS session closed cleanly."""


class SSLWantReadError(SSLError):
    """Non-blocking SSL socket needs to read more data before the requested operation can be completed."""


class SSLWantWriteError(SSLError):
    """Non-blocking SSL socket needs to write more data before the requested operation can be completed."""


class SSLSyscallError(SSLError):
    """System error when attempting SSL operation."""


class SSLEOFError(SSLError):
    """SSL/TLS connection terminated abruptly."""


class SSLCertVerificationError(SSLError, ValueError):
    """A certificate could not be verified: `verify_code` is OpenSSL's number (X509_V_ERR_...), `verify_message` its words."""

    verify_code: int | None = None
    verify_message: str | None = None


EXCEPTIONS: tuple[type[SSLError], ...] = (
    SSLError,
    SSLZeroReturnError,
    SSLWantReadError,
    SSLWantWriteError,
    SSLSyscallError,
    SSLEOFError,
    SSLCertVerificationError,
)
for _exception in EXCEPTIONS:
    _exception.__module__ = "ssl"


def failure(reason: str, detail: str = "", *, library: str = "SSL") -> SSLError:
    """An error with OpenSSL's name for it. `detail` says more, behind OpenSSL's own words."""
    return _named(SSLError, SSL_ERROR_SSL, reason, reason.lower().replace("_", " "), detail, library)


def pem_failure(library: str, detail: str = "") -> SSLError:
    """PEM or DER that cannot be used, as OpenSSL tells it: the layer above, and no reason of its own."""
    error = SSLError(PEM_LIB, f"[{library}] PEM lib" + (f" ({detail})" if detail else ""))
    error.library = library
    return error


def verification_failure(code: int, message: str, detail: str = "") -> SSLCertVerificationError:
    """The peer's chain was refused; `code` and `message` are OpenSSL's, `detail` is ours."""
    words = f"certificate verify failed: {message}"
    error = _named(SSLCertVerificationError, SSL_ERROR_SSL, "CERTIFICATE_VERIFY_FAILED", words, detail, "SSL")
    assert isinstance(error, SSLCertVerificationError)
    error.verify_code, error.verify_message = code, message
    return error


def _named(kind: type[SSLError], number: int, reason: str, words: str, detail: str, library: str) -> SSLError:
    error = kind(number, f"[{library}: {reason}] {words}" + (f" ({detail})" if detail else ""))
    error.library, error.reason = library, reason
    return error


def want_read() -> SSLWantReadError:
    """Nothing goes on without bytes from the peer."""
    return SSLWantReadError(SSL_ERROR_WANT_READ, "The operation did not complete (read)")


def want_write() -> SSLWantWriteError:
    """Nothing goes on before bytes to the peer have left."""
    return SSLWantWriteError(SSL_ERROR_WANT_WRITE, "The operation did not complete (write)")


def closed() -> SSLZeroReturnError:
    """The peer has closed (RFC 5246 7.2.1)."""
    return SSLZeroReturnError(SSL_ERROR_ZERO_RETURN, "TLS/SSL connection has been closed (EOF)")


def cut() -> SSLEOFError:
    """The stream ended without close_notify (RFC 5246 7.2.1), told for the first time."""
    words = "EOF occurred in violation of protocol"
    error = _named(SSLEOFError, SSL_ERROR_EOF, "UNEXPECTED_EOF_WHILE_READING", words, "", "SSL")
    assert isinstance(error, SSLEOFError)
    return error


def over() -> SSLEOFError:
    """The connection has failed before; why was told then."""
    return SSLEOFError(SSL_ERROR_EOF, "EOF occurred in violation of protocol")
