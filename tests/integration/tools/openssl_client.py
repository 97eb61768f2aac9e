# SPDX-License-Identifier: MPL-2.0
"""A TLS client with features that Python's ssl lacks: it selects its groups and suite, and
sends key updates."""

import contextlib
import ctypes
import socket

from OpenSSL import SSL

from waiting import PATIENCE

_SET_GROUPS_LIST = 92  # SSL_CTRL_SET_GROUPS_LIST of <openssl/ssl.h>

_library = ctypes.CDLL("libssl.so.3")
_library.SSL_CTX_ctrl.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_char_p]
_library.SSL_CTX_set_ciphersuites.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
_library.SSL_key_update.argtypes = [ctypes.c_void_p, ctypes.c_int]
_library.SSL_do_handshake.argtypes = [ctypes.c_void_p]


def _pointer(of):
    return int(SSL._ffi.cast("uintptr_t", of))


def renew_keys(connection, both=False):
    """Sends a KeyUpdate (RFC 8446, 4.6.3), which can request one of the peer.  True if the socket
    took it."""
    pointer = _pointer(connection._ssl)
    assert _library.SSL_key_update(pointer, int(both)) == 1
    return _library.SSL_do_handshake(pointer) == 1


@contextlib.contextmanager
def connected(address, identity_folder, groups=None, suite=None):
    """Completes a handshake and returns the connection.  The key share is for the first of
    `groups`; `suite` is that of TLS 1.3."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.use_certificate_file(str(identity_folder / "cert.pem"))
    context.use_privatekey_file(str(identity_folder / "key.pem"))
    if groups:
        done = _library.SSL_CTX_ctrl(_pointer(context._context), _SET_GROUPS_LIST, 0,
                                     groups.encode())
        assert done == 1, f"the groups {groups} are unknown"
    if suite:
        done = _library.SSL_CTX_set_ciphersuites(_pointer(context._context), suite.encode())
        assert done == 1, f"the suite {suite} is unknown"
    with socket.create_connection(address, timeout=PATIENCE) as sock:
        sock.settimeout(None)
        connection = SSL.Connection(context, sock)
        connection.set_connect_state()
        connection.do_handshake()
        yield connection
