"""Configurations: frozen values, checked when they are made; `dataclasses.replace` makes variants."""

from puretls.config.client import ClientConfig
from puretls.config.common import (
    DEFAULT_GROUPS,
    DEFAULT_SCHEMES,
    PENDING,
    SUPPORTED_GROUPS,
    TAPS,
    WEAK_SCHEMES,
    Config,
    Verifier,
)
from puretls.config.credential import Credential
from puretls.config.limits import Limits
from puretls.config.server import ServerConfig

__all__ = [
    "DEFAULT_GROUPS",
    "DEFAULT_SCHEMES",
    "PENDING",
    "SUPPORTED_GROUPS",
    "TAPS",
    "WEAK_SCHEMES",
    "ClientConfig",
    "Config",
    "Credential",
    "Limits",
    "ServerConfig",
    "Verifier",
]
