# SPDX-License-Identifier: GPL-2.0
"""What a row's Options ought to be: the README's rule, asked of getsockopt(2).

expected() is a second implementation of the Options column, from userspace:
it asks the kernel for every option of a socket, and shows those that differ
from what a newly made socket of the same kind says in the same namespace.
Only what getsockopt can't tell (whether a program asked for a buffer's size,
whether there is an MD5 key) has to come from the test.
"""

import contextlib
import errno
import socket
import struct
from typing import NamedTuple

SOL_SOCKET = socket.SOL_SOCKET
SOL_IP, SOL_TCP, SOL_UDP, SOL_IPV6 = 0, 6, 17, 41

TCP_AO_ADD_KEY, TCP_AO_DEL_KEY = 38, 39


class Option(NamedTuple):
    """A socket option, and how its value is written."""
    name: str
    level: int
    number: int
    form: str = "int"       # see value()
    only: str = ""          # "tcp", "udp", "tcp6"...: the sockets that show it
    told: bool = False      # shown when the test says so, not by its value


OPTIONS = {option.name: option for option in (
    Option("SO_REUSEADDR", SOL_SOCKET, 2),
    Option("SO_REUSEPORT", SOL_SOCKET, 15),
    Option("SO_KEEPALIVE", SOL_SOCKET, 9, only="tcp"),
    Option("SO_BROADCAST", SOL_SOCKET, 6, only="udp"),
    Option("SO_RCVBUF", SOL_SOCKET, 8, "half", told=True),
    Option("SO_SNDBUF", SOL_SOCKET, 7, "half", told=True),
    Option("SO_RCVTIMEO", SOL_SOCKET, 20, "timeval"),
    Option("SO_SNDTIMEO", SOL_SOCKET, 21, "timeval"),
    Option("SO_LINGER", SOL_SOCKET, 13, "linger"),
    Option("SO_BINDTODEVICE", SOL_SOCKET, 25, "text"),
    Option("SO_PRIORITY", SOL_SOCKET, 12, "uint"),
    Option("SO_MARK", SOL_SOCKET, 36, "uint"),
    Option("SO_RCVLOWAT", SOL_SOCKET, 18),
    Option("SO_OOBINLINE", SOL_SOCKET, 10),
    Option("SO_BUSY_POLL", SOL_SOCKET, 46),
    Option("SO_MAX_PACING_RATE", SOL_SOCKET, 47, "u64"),
    Option("SO_TIMESTAMPING", SOL_SOCKET, 37),
    Option("SO_ZEROCOPY", SOL_SOCKET, 60),
    Option("SO_TXTIME", SOL_SOCKET, 61, "txtime", told=True),
    Option("SO_NO_CHECK", SOL_SOCKET, 11),
    Option("IP_TOS", SOL_IP, 1),
    Option("IP_TTL", SOL_IP, 2),
    Option("IP_MTU_DISCOVER", SOL_IP, 10),
    Option("IP_FREEBIND", SOL_IP, 15),
    Option("IP_TRANSPARENT", SOL_IP, 19),
    Option("IP_BIND_ADDRESS_NO_PORT", SOL_IP, 24),
    Option("IP_RECVERR", SOL_IP, 11),
    Option("IPV6_V6ONLY", SOL_IPV6, 26, only="6"),
    Option("IPV6_TCLASS", SOL_IPV6, 67, only="6"),
    Option("IPV6_UNICAST_HOPS", SOL_IPV6, 16, only="6"),
    Option("IPV6_RECVERR", SOL_IPV6, 25, only="6"),
    Option("TCP_NODELAY", SOL_TCP, 1, only="tcp"),
    Option("TCP_KEEPIDLE", SOL_TCP, 4, only="tcp"),
    Option("TCP_KEEPINTVL", SOL_TCP, 5, only="tcp"),
    Option("TCP_KEEPCNT", SOL_TCP, 6, only="tcp"),
    Option("TCP_USER_TIMEOUT", SOL_TCP, 18, only="tcp"),
    Option("TCP_SYNCNT", SOL_TCP, 7, only="tcp"),
    Option("TCP_LINGER2", SOL_TCP, 8, only="tcp"),
    Option("TCP_MAXSEG", SOL_TCP, 2, only="tcp", told=True),
    Option("TCP_CORK", SOL_TCP, 3, only="tcp"),
    Option("TCP_DEFER_ACCEPT", SOL_TCP, 9, only="tcp"),
    Option("TCP_FASTOPEN", SOL_TCP, 23, only="tcp"),
    Option("TCP_FASTOPEN_CONNECT", SOL_TCP, 30, only="tcp"),
    Option("TCP_FASTOPEN_NO_COOKIE", SOL_TCP, 34, only="tcp"),
    Option("TCP_NOTSENT_LOWAT", SOL_TCP, 25, "uint", only="tcp"),
    Option("TCP_SAVE_SYN", SOL_TCP, 27, only="tcp"),
    Option("TCP_THIN_LINEAR_TIMEOUTS", SOL_TCP, 16, only="tcp"),
    Option("TCP_REPAIR", SOL_TCP, 19, only="tcp"),
    Option("TCP_CONGESTION", SOL_TCP, 13, "text", only="tcp"),
    Option("TCP_ULP", SOL_TCP, 31, "text", only="tcp"),
    Option("TCP_MD5SIG", SOL_TCP, 14, "presence", only="tcp", told=True),
    Option("TCP_AO", SOL_TCP, TCP_AO_ADD_KEY, "presence", only="tcp",
           told=True),
    Option("UDP_CORK", SOL_UDP, 1, only="udp"),
    Option("UDP_SEGMENT", SOL_UDP, 103, only="udp"),
    Option("UDP_GRO", SOL_UDP, 104, only="udp"),
    Option("UDP_ENCAP", SOL_UDP, 100, only="udp"),
    Option("UDP_NO_CHECK6_TX", SOL_UDP, 101, only="udp"),
    Option("UDP_NO_CHECK6_RX", SOL_UDP, 102, only="udp"),
)}

ALWAYS = {
    "tcp": ("SO_REUSEADDR", "SO_REUSEPORT", "SO_KEEPALIVE", "TCP_NODELAY"),
    "udp": ("SO_REUSEADDR", "SO_REUSEPORT", "SO_BROADCAST"),
}
LISTENER = ("TCP_FASTOPEN", "TCP_DEFER_ACCEPT")

# For these "not there" and "0" are the same on any socket but a listener.
FORMS = {"int": "=i", "uint": "=I", "half": "=i", "u64": "=Q",
         "timeval": "=qq", "linger": "=ii", "txtime": "=iI"}


def table_of(sock):
    """The table that @sock's row is in."""
    six = "6" if sock.family == socket.AF_INET6 else ""
    udp = (sock.type & 0xf) == socket.SOCK_DGRAM
    return f"{'udp' if udp else 'tcp'}{six}stat"


def shows(option, table):
    """Is @option one that rows of @table can have?"""
    return all(part in table for part in (option.only.rstrip("6"),
                                          "6" if "6" in option.only else ""))


def get(sock, option):
    """The bytes of @option's value, or None where the kernel has no such."""
    size = struct.calcsize(FORMS[option.form]) if option.form in FORMS else 64
    try:
        return sock.getsockopt(option.level, option.number, size)
    except OSError as error:
        if error.errno in (errno.ENOPROTOOPT, errno.EOPNOTSUPP):
            return None
        if error.errno == errno.ENODEV:     # SO_BINDTODEVICE, and it is gone
            return error
        raise


def value(option, data):
    """@data, the bytes of an option's value, as the Options column has it."""
    if option.form == "presence":
        return "1"
    if option.form == "text":
        return escaped(data.split(b"\0")[0])
    parts = struct.unpack(FORMS[option.form], data)
    if option.form == "half":
        return str(parts[0] // 2)
    if option.form == "timeval":
        return f"{parts[0] * 1000 + parts[1] // 1000}ms"
    if option.form == "linger":
        return f"{parts[1]}s"
    if option.form == "txtime":
        return f"{parts[0]}:{parts[1]}"
    return str(parts[0])


def escaped(name):
    """@name with the bytes that would break a field as \\ooo."""
    return "".join(chr(byte) if 0x21 <= byte <= 0x7e and byte not in b"\\,"
                   else f"\\{byte:03o}" for byte in name)


def expected(sock, told=(), listening=None):
    """The Options that @sock's row ought to have, seen with all rights.

    @told: the names of the options that the test set and getsockopt can't
    tell of.
    """
    table = table_of(sock)
    if listening is None:
        listening = table.startswith("tcp") and sock.getsockopt(
            SOL_SOCKET, socket.SO_ACCEPTCONN)
    always = ALWAYS[table[:3]] + (LISTENER if listening else ())
    shown = {}
    with socket.socket(sock.family, sock.type, sock.proto) as fresh:
        for option in OPTIONS.values():
            if not shows(option, table):
                continue
            if option.name in always:
                shown[option.name] = value(option, get(sock, option))
            elif option.told:
                if option.name in told:
                    data = b"" if option.form == "presence" else get(sock,
                                                                     option)
                    shown[option.name] = value(option, data)
            elif option.name != "TCP_FASTOPEN":
                data = get(sock, option)
                if isinstance(data, OSError):
                    shown[option.name] = None       # the test must know
                elif data != get(fresh, option) and not off(option, data):
                    shown[option.name] = value(option, data)
    return shown


def off(option, data):
    """Is @data the value of an option that is off but remembers a number?"""
    return option.form == "linger" and not struct.unpack("=ii", data)[0]


def put(sock, name, what):
    """Set option @name of @sock to @what: bytes, text or what its form holds."""
    option = OPTIONS[name]
    if isinstance(what, str):
        what = what.encode()
    elif isinstance(what, tuple):
        what = struct.pack(FORMS[option.form], *what)
    elif isinstance(what, int):
        what = struct.pack("=q" if option.form == "u64" else "=i", what) \
            if what < 0 else struct.pack("=Q" if option.form == "u64" else "=I",
                                         what)
    sock.setsockopt(option.level, option.number, what)


def sockaddr(sock, address):
    """A struct sockaddr_storage of @address, in @sock's family, port 0."""
    packed = socket.inet_pton(sock.family, address)
    if sock.family == socket.AF_INET:
        data = struct.pack("=HH4s", sock.family, 0, packed)
    else:
        data = struct.pack("=HHI16sI", sock.family, 0, 0, packed, 0)
    return data.ljust(128, b"\0")


def put_md5(sock, address, key):
    """Give @sock an MD5 key for the peer @address, or take it with b""."""
    data = sockaddr(sock, address) + struct.pack("=BBHi80s", 0, 0, len(key), 0,
                                                 key)
    sock.setsockopt(SOL_TCP, OPTIONS["TCP_MD5SIG"].number, data)


def put_ao(sock, address, key):
    """Give @sock a TCP-AO key for the peer @address."""
    prefix = 32 if sock.family == socket.AF_INET else 128
    data = sockaddr(sock, address) + struct.pack(
        "=64siIHBBBBBB80s", b"hmac(sha1)", 0, 0, 0, prefix, 100, 100, 12, 0,
        len(key), key)
    sock.setsockopt(SOL_TCP, TCP_AO_ADD_KEY, data.ljust(-len(data) % 8 +
                                                        len(data), b"\0"))


def delete_ao(sock, address):
    """Take the TCP-AO key for the peer @address from @sock."""
    prefix = 32 if sock.family == socket.AF_INET else 128
    data = sockaddr(sock, address) + struct.pack(
        "=iIHBBBBBB", 0, 0, 0, prefix, 100, 100, 0, 0, 0)
    sock.setsockopt(SOL_TCP, TCP_AO_DEL_KEY, data.ljust(-len(data) % 8 +
                                                        len(data), b"\0"))


@contextlib.contextmanager
def closing(*sockets):
    """Close @sockets in the end."""
    try:
        yield sockets
    finally:
        for sock in sockets:
            sock.close()
