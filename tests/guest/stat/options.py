# SPDX-License-Identifier: GPL-2.0
"""Each option: set it, and the row says what getsockopt(2) says.

lib/sockopts.py is the judge: after each step a row's whole Options column is
compared with what it makes of the same socket, so that a case also fails when
another option appears or changes. The world is one namespace with its lo.
"""

import contextlib
import errno
import os
import socket
import struct
from typing import NamedTuple

from lib.ktap import Skip, cases, check, equal, test
from lib.sockopts import (OPTIONS, SOL_TCP, delete_ao, escaped, expected, get,
                          put, put_ao, put_md5, shows, table_of, value)
from lib.tables import read, row_of
from lib.world import (Netns, connect, host, ip, listener, modprobe, pair,
                       sysctl, udp)

INET, INET6 = socket.AF_INET, socket.AF_INET6
INT_MAX, UINT_MAX = (1 << 31) - 1, (1 << 32) - 1
U64_MAX = (1 << 64) - 1
HUNDRED_DAYS, AGES = 8640000, 10 ** 12      # seconds


class Case(NamedTuple):
    """An option and the values to give it, one after the other."""
    name: str
    values: tuple
    on: str = "cl"          # connected and/or listening TCP sockets; UDP too
    before: bool = False    # it has to be set before connecting or listening
    may_lack: bool = False  # some kernel is known to be built without it
    back: bool = True       # the last value is the default: not shown


CASES = (
    Case("SO_REUSEADDR", (1, 0)),
    Case("SO_REUSEPORT", (1, 0)),
    Case("SO_KEEPALIVE", (1, 0)),
    Case("SO_BROADCAST", (1, 0)),
    Case("TCP_NODELAY", (1, 0)),
    Case("TCP_CORK", (1, 0)),
    Case("SO_RCVBUF", (1, 4096, 100000, INT_MAX), back=False),
    Case("SO_SNDBUF", (1, 4096, 100000, INT_MAX), back=False),
    Case("SO_RCVTIMEO", ((0, 1), (0, 250000), (5, 0), (HUNDRED_DAYS, 0),
                         (AGES, 999999), (0, 0))),
    Case("SO_SNDTIMEO", ((0, 1), (0, 250000), (5, 0), (HUNDRED_DAYS, 0),
                         (AGES, 999999), (0, 0))),
    Case("SO_LINGER", ((1, 5), (1, 0), (1, INT_MAX), (0, 7))),
    Case("SO_PRIORITY", (1, 6, 7, INT_MAX, UINT_MAX, 0)),
    Case("SO_MARK", (1, INT_MAX, UINT_MAX, 0)),
    Case("SO_RCVLOWAT", (2, 5000, 1)),
    Case("SO_OOBINLINE", (1, 0)),
    Case("SO_BUSY_POLL", (1, 100000, INT_MAX, 0), may_lack=True),
    Case("SO_MAX_PACING_RATE", (1, UINT_MAX + 1, U64_MAX - 1, 0, U64_MAX)),
    Case("SO_TIMESTAMPING", (8 | 16, 8 | 2 | 16 | 2048, 0)),
    Case("SO_ZEROCOPY", (1, 0)),
    Case("SO_TXTIME", ((1, 0), (11, 0), (11, 1), (11, 3)), back=False),
    Case("SO_NO_CHECK", (1, 0)),
    Case("IP_TOS", (0x10, 0xb8, 0xfc, 0)),
    Case("IP_TTL", (1, 255, -1)),
    Case("IP_MTU_DISCOVER", (0, 2, 3, 4, 5, 1)),
    Case("IP_FREEBIND", (1, 0)),
    Case("IP_TRANSPARENT", (1, 0)),
    Case("IP_BIND_ADDRESS_NO_PORT", (1, 0)),
    Case("IP_RECVERR", (1, 0)),
    Case("IPV6_V6ONLY", (1, 0), before=True),
    Case("IPV6_TCLASS", (0x10, 255, 0)),
    Case("IPV6_UNICAST_HOPS", (0, 1, 255, -1)),
    Case("IPV6_RECVERR", (1, 0)),
    Case("TCP_KEEPIDLE", (1, 32767, 7200)),
    Case("TCP_KEEPINTVL", (1, 32767, 75)),
    Case("TCP_KEEPCNT", (1, 127, 9)),
    Case("TCP_USER_TIMEOUT", (1, 30000, INT_MAX, 0)),
    Case("TCP_SYNCNT", (1, 127, 6)),
    Case("TCP_LINGER2", (1, 59, 100000, -1, 0)),
    Case("TCP_MAXSEG", (536, 1000, 1460), back=False),
    Case("TCP_DEFER_ACCEPT", (1, 5, 100, 65535, INT_MAX, 0)),
    Case("TCP_FASTOPEN", (1, 100, 0), on="l"),
    Case("TCP_FASTOPEN_CONNECT", (1, 0), on="c", before=True),
    Case("TCP_FASTOPEN_NO_COOKIE", (1, 0), before=True),
    Case("TCP_NOTSENT_LOWAT", (1, 131072, UINT_MAX, 0)),
    Case("TCP_SAVE_SYN", (1, 2, 0), before=True),
    Case("TCP_THIN_LINEAR_TIMEOUTS", (1, 0)),
    Case("TCP_REPAIR", (1,), on="c", back=False),
    Case("TCP_CONGESTION", ("reno", "cubic")),
    Case("UDP_CORK", (1, 0)),
    Case("UDP_SEGMENT", (1, 1400, 65535, 0)),
    Case("UDP_GRO", (1, 0)),
    Case("UDP_ENCAP", (2, 0), may_lack=True),       # ESP; needs XFRM
    Case("UDP_NO_CHECK6_TX", (1, 0)),
    Case("UDP_NO_CHECK6_RX", (1, 0)),
)

# Those with a form or a world of their own: below.
APART = ("SO_BINDTODEVICE", "TCP_ULP", "TCP_MD5SIG", "TCP_AO")


@test
def every_option_has_a_test():
    """The table above tests each option that there is, once."""
    tested = [case.name for case in CASES] + list(APART)
    equal(sorted(tested), sorted(OPTIONS), "options")


def family_of(table):
    """The address family of @table."""
    return INET6 if "6" in table else INET


def sockets_for(case, table, setup):
    """The sockets that @case is tried on, each after @setup(socket)."""
    family = family_of(table)
    if table.startswith("udp"):
        yield "unconnected", udp(family, setup=setup)
        with udp(family) as peer:
            yield "connected", udp(family, connected_to=peer, setup=setup)
        return
    if "l" in case.on:
        yield "listening", listener(family, setup=setup)
    if "c" in case.on:
        with listener(family) as door:
            yield "connected", connect(door, setup=setup)


def same(sock, told=(), **others):
    """@sock's row has the Options it ought to have."""
    options = row_of(sock, table_of(sock)).options
    equal(options, dict(expected(sock, told), **others), "Options")
    return options


def try_put(sock, case, what):
    """Set it, or skip the case where a kernel may refuse it."""
    try:
        put(sock, case.name, what)
    except OSError as error:
        if case.may_lack and error.errno in (errno.ENOPROTOOPT,
                                             errno.EOPNOTSUPP):
            raise Skip(f"{case.name}: {error.strerror}") from error
        raise


def case_on(case, table):
    """Run @case for the sockets of one table."""
    told = (case.name,) if OPTIONS[case.name].told else ()
    for steps in ([[what] for what in case.values] if case.before
                  else [case.values]):
        def setup(sock, steps=steps):
            if case.before:
                try_put(sock, case, steps[0])
        for kind, sock in sockets_for(case, table, setup):
            with sock:
                options = None
                for what in steps:
                    if not case.before:
                        try_put(sock, case, what)
                    options = same(sock, told)
                    last = case.back and what == case.values[-1]
                    check(last or case.name in options,
                          f"{case.name} of a {kind} socket, set to {what}")


def all_cases(table):
    """Every case that sockets of @table have."""
    chosen = {case.name: case for case in CASES
              if shows(OPTIONS[case.name], table)}
    with Netns():
        cases(chosen, lambda name: case_on(chosen[name], table))


@test
def tcp4():
    """Each option of an IPv4 TCP socket."""
    all_cases("tcpstat")


@test
def tcp6():
    """Each option of an IPv6 TCP socket."""
    all_cases("tcp6stat")


@test
def udp4():
    """Each option of an IPv4 UDP socket."""
    all_cases("udpstat")


@test
def udp6():
    """Each option of an IPv6 UDP socket."""
    all_cases("udp6stat")


ALWAYS = {"tcpstat": {"SO_REUSEADDR": "0", "SO_REUSEPORT": "0",
                      "SO_KEEPALIVE": "0", "TCP_NODELAY": "0"},
          "udpstat": {"SO_REUSEADDR": "0", "SO_REUSEPORT": "0",
                      "SO_BROADCAST": "0"}}
DOOR = {"TCP_FASTOPEN": "0", "TCP_DEFER_ACCEPT": "0"}


@test
def defaults():
    """Only what is always shown; written out here, not asked of anyone.

    Binding to an IPv6 address makes a socket IPv6 only, and getsockopt says
    so, though no program asked.
    """
    with Netns():
        for family in INET, INET6:
            bound = {"IPV6_V6ONLY": "1"} if family == INET6 else {}
            tcp, datagrams = ALWAYS["tcpstat"], {**ALWAYS["udpstat"], **bound}
            with listener(family) as door, connect(door) as client, \
                 door.accept()[0] as server, udp(family) as one, \
                 udp(family, connected_to=one) as two:
                for sock, options in ((door, {**tcp, **DOOR, **bound}),
                                      (client, tcp), (server, {**tcp, **bound}),
                                      (one, datagrams), (two, datagrams)):
                    row = row_of(sock, table_of(sock))
                    equal(row.options, options, row.line)


FORMS = (
    ("SO_RCVTIMEO", (0, 500000), "SO_RCVTIMEO=500ms"),
    ("SO_SNDTIMEO", (HUNDRED_DAYS, 0), "SO_SNDTIMEO=8640000000ms"),
    ("SO_SNDTIMEO", (AGES, 0), "SO_SNDTIMEO=1000000000000000ms"),
    ("SO_LINGER", (1, 5), "SO_LINGER=5s"),
    ("SO_LINGER", (1, 0), "SO_LINGER=0s"),
    ("SO_RCVBUF", 5000, "SO_RCVBUF=5000"),
    ("SO_SNDBUF", 5000, "SO_SNDBUF=5000"),
    ("SO_MARK", UINT_MAX, "SO_MARK=4294967295"),
    ("SO_MAX_PACING_RATE", 10 ** 12, "SO_MAX_PACING_RATE=1000000000000"),
    ("SO_TXTIME", (11, 1), "SO_TXTIME=11:1"),
    ("IP_TOS", 0x10, "IP_TOS=16"),
    ("TCP_LINGER2", -1, "TCP_LINGER2=-1"),
    ("TCP_CONGESTION", "reno", "TCP_CONGESTION=reno"),
    ("TCP_MAXSEG", 536, "TCP_MAXSEG=536"),
    ("TCP_KEEPIDLE", 60, "TCP_KEEPIDLE=60"),
)


@test
def forms():
    """How values are written; written out here, not asked of anyone."""
    def one(name):
        option, what, text = wanted[name]
        with listener(INET) as door:
            put(door, option, what)
            line = row_of(door, "tcpstat").line
            check(text in line.split()[-1].split(","), text, "not in", line)

    wanted = {text: (option, what, text) for option, what, text in FORMS}
    with Netns():
        sysctl("net/ipv4/tcp_congestion_control", "cubic")
        cases(wanted, one)


@test
def unset_timeout_is_no_timeout():
    """A negative SO_RCVTIMEO means not to wait at all: away from the default,
    though getsockopt says 0 of both."""
    with Netns(), listener(INET) as door:
        put(door, "SO_RCVTIMEO", (-1, 0))
        options = row_of(door, "tcpstat").options
        equal(options.get("SO_RCVTIMEO"), "0ms", "SO_RCVTIMEO")
        put(door, "SO_RCVTIMEO", (0, 0))
        check("SO_RCVTIMEO" not in row_of(door, "tcpstat").options, "0 shown")


@test
def forced_buffers():
    """SO_RCVBUFFORCE and SO_SNDBUFFORCE, up to the largest there is."""
    with Netns(), udp(INET) as sock:
        for number, name in ((33, "SO_RCVBUF"), (32, "SO_SNDBUF")):
            sock.setsockopt(socket.SOL_SOCKET, number, INT_MAX)
            equal(row_of(sock, "udpstat").options[name],
                  str(sock.getsockopt(socket.SOL_SOCKET,
                                      OPTIONS[name].number) // 2), name)


@test
def inherited():
    """What an accepted socket got from its listener is on its row, too."""
    settings = (("SO_KEEPALIVE", 1), ("TCP_NODELAY", 1), ("SO_RCVBUF", 65536),
                ("SO_SNDBUF", 65536), ("SO_LINGER", (1, 3)), ("IP_TOS", 0x10),
                ("SO_PRIORITY", 5), ("SO_MARK", 77), ("TCP_KEEPIDLE", 11),
                ("TCP_KEEPINTVL", 12), ("TCP_KEEPCNT", 13),
                ("TCP_USER_TIMEOUT", 14000), ("TCP_LINGER2", 15),
                ("TCP_CONGESTION", "reno"), ("TCP_NOTSENT_LOWAT", 16000),
                ("TCP_MAXSEG", 1000), ("SO_REUSEADDR", 1),
                ("SO_REUSEPORT", 1), ("IP_TTL", 17), ("IP_MTU_DISCOVER", 0),
                ("SO_MAX_PACING_RATE", 10 ** 10), ("TCP_SAVE_SYN", 1))

    def setup(sock):
        for name, what in settings:
            put(sock, name, what)
    told = ("SO_RCVBUF", "SO_SNDBUF", "TCP_MAXSEG")
    with Netns():
        for family in INET, INET6:
            with listener(family, setup=setup) as door, connect(door) as client:
                same(door, told)
                same(client)
                with door.accept()[0] as server:
                    options = same(server, told)
                    check(len(options) > 15, "inherited:", options)


@test
def orphans_keep_theirs():
    """A socket that no process holds any more still has its options."""
    with Netns():
        door = listener(INET)
        client = connect(door)
        put(client, "TCP_KEEPIDLE", 77)
        put(client, "SO_MARK", 78)
        server = door.accept()[0]
        local = f"127.0.0.1:{client.getsockname()[1]}"
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client.setblocking(False)
        try:        # until its FIN can't get through
            while client.send(b"x" * 65536):
                pass
        except BlockingIOError:
            pass
        client.close()
        rows = [row for row in read("tcpstat") if row.local == local]
        equal([(row.stat, row.inode) for row in rows], [("FNW1", 0)], "orphan")
        equal({name: rows[0].options.get(name)
               for name in ("TCP_KEEPIDLE", "SO_MARK")},
              {"TCP_KEEPIDLE": "77", "SO_MARK": "78"}, "its options")


@test
def namespace_defaults():
    """The default is the namespace's, of the time of reading."""
    def one(name):
        kind, path, one_value, other, option = settings[name]
        sysctl(path, one_value)
        with kind() as old:
            check(option not in same(old), option, "is the default")
            sysctl(path, other)
            with kind() as new:
                check(option not in same(new), option, "is the default")
                check(option in same(old), option, "is no more the default")
                sysctl(path, one_value)
                check(option in same(new), option, "is no more the default")
                check(option not in same(old), option, "is the default again")

    settings = {
        "TCP_CONGESTION": (lambda: listener(INET),
                           "net/ipv4/tcp_congestion_control", "cubic", "reno",
                           "TCP_CONGESTION"),
        "IPV6_V6ONLY": (lambda: udp(INET6, address="::"),
                        "net/ipv6/bindv6only", 0, 1, "IPV6_V6ONLY"),
        "IP_MTU_DISCOVER": (lambda: udp(INET), "net/ipv4/ip_no_pmtu_disc", 0,
                            1, "IP_MTU_DISCOVER"),
    }
    with Netns():
        cases(settings, one)


# Options that a socket can leave to the namespace: the sysctl, a value of it
# and another one. Set to what the namespace says, they are at the default.
LEFT_TO_THE_NAMESPACE = {
    "TCP_KEEPIDLE": ("net/ipv4/tcp_keepalive_time", 7200, 100),
    "TCP_KEEPINTVL": ("net/ipv4/tcp_keepalive_intvl", 75, 50),
    "TCP_KEEPCNT": ("net/ipv4/tcp_keepalive_probes", 9, 3),
    "TCP_SYNCNT": ("net/ipv4/tcp_syn_retries", 6, 2),
    "TCP_LINGER2": ("net/ipv4/tcp_fin_timeout", 60, 30),
    "IP_TTL": ("net/ipv4/ip_default_ttl", 64, 99),
    "IPV6_UNICAST_HOPS": ("net/ipv6/conf/all/hop_limit", 64, 99),
}


@test
def set_to_the_default():
    """Not shown while it is the default, shown when that moves away."""
    def one(name):
        path, first, other = LEFT_TO_THE_NAMESPACE[name]
        sysctl(path, first)
        with listener(INET6) as door:
            put(door, name, first)
            check(name not in same(door), "shown at the default")
            put(door, name, other)
            check(name in same(door), "not shown away from the default")
            sysctl(path, other)
            check(name not in same(door), "shown at the new default")
            sysctl(path, first)
            check(name in same(door), "not shown away from the old default")

    with Netns():
        cases(LEFT_TO_THE_NAMESPACE, one)


@test
def implied_defaults():
    """What a socket leaves to the namespace is never shown, whatever that
    says by now; what it set itself is."""
    with Netns(), listener(INET) as plain, listener(INET) as own:
        put(own, "TCP_KEEPIDLE", 500)
        put(own, "TCP_SYNCNT", 3)
        put(own, "IP_TTL", 100)
        for path, what in (("tcp_keepalive_time", 100), ("tcp_syn_retries", 2),
                           ("tcp_keepalive_intvl", 50),
                           ("tcp_keepalive_probes", 3),
                           ("tcp_fin_timeout", 30), ("ip_default_ttl", 99)):
            sysctl(f"net/ipv4/{path}", what)
        equal(same(plain), {**ALWAYS["tcpstat"], **DOOR}, "plain")
        check({"TCP_KEEPIDLE", "TCP_SYNCNT", "IP_TTL"} <= set(same(own)),
              "own")


DEVICES = ("eth", "a,b", "back\\slash", "=", "f=1,g=2", "|<", "\u00fc", "-",
           "fifteenlongname")


@test
def bind_to_device():
    """The device's name, with what would break a field escaped."""
    def one(name):
        ip(f"link add {quoted(name)} type dummy" if name != "-" else
           "link add dev - type dummy")
        with udp(INET) as datagrams, listener(INET6, address="::") as door:
            for sock in datagrams, door:
                put(sock, "SO_BINDTODEVICE", name)
                row = row_of(sock, table_of(sock)).line.split()
                text = escaped(name.encode())
                check(f"SO_BINDTODEVICE={text}" in row[-1].split(","), text,
                      "not in", row)
                put(sock, "SO_BINDTODEVICE", "")
                same(sock)

    with Netns():
        modprobe("dummy")
        cases(DEVICES, one)


def quoted(name):
    """@name for ip -batch, which takes backslashes and quotes away."""
    return "'" + name + "'" if "\\" in name else name


@test
def bound_device_deleted():
    """Its index is all that is left."""
    with Netns():
        modprobe("dummy")
        ip("link add doomed type dummy")
        index = socket.if_nametoindex("doomed")
        with udp(INET) as datagrams, listener(INET) as door:
            for sock in datagrams, door:
                put(sock, "SO_BINDTODEVICE", "doomed")
            ip("link delete doomed")
            for sock in datagrams, door:
                same(sock, SO_BINDTODEVICE=f"if{index}")


@test
def bound_device_renamed():
    """The name is the one it has now."""
    with Netns():
        modprobe("dummy")
        ip("link add before type dummy")
        with udp(INET) as sock:
            put(sock, "SO_BINDTODEVICE", "before")
            ip("link set before name after")
            equal(same(sock)["SO_BINDTODEVICE"], "after", "name")


@test
def upper_layer_protocol():
    """TCP_ULP by name: tls, on both ends of a connection."""
    modprobe("tls")
    with Netns():
        for family in INET, INET6:
            for sock in pair(family):
                check("TCP_ULP" not in same(sock), "TCP_ULP before it was set")
                try:
                    put(sock, "TCP_ULP", "tls")
                except FileNotFoundError as error:
                    raise Skip("no tls module") from error
                equal(same(sock)["TCP_ULP"], "tls", "TCP_ULP")


def lacking(error):
    """Skip where the kernel has no such option, else fail."""
    if error.errno in (errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.ENOENT):
        raise Skip(error.strerror) from error
    raise error


@test
def md5_signature():
    """TCP_MD5SIG=1 while there is a key, and no key is ever shown."""
    with Netns():
        for family in INET, INET6:
            with listener(family) as door:
                try:
                    put_md5(door, host(family), b"secret")
                except OSError as error:
                    lacking(error)
                check("TCP_MD5SIG" in same(door, ("TCP_MD5SIG",)), "on listener")
                with connect(door, setup=lambda sock, f=family: put_md5(
                        sock, host(f), b"secret")) as client:
                    same(client, ("TCP_MD5SIG",))
                    with door.accept()[0] as server:
                        same(server, ("TCP_MD5SIG",))
                put_md5(door, host(family), b"")
                same(door)
                put_md5(door, host(family), b"another")
                same(door, ("TCP_MD5SIG",))


@test
def authentication_option():
    """TCP_AO=1 while there is a key."""
    with Netns():
        for family in INET, INET6:
            with listener(family) as door:
                try:
                    put_ao(door, host(family), b"secret")
                except OSError as error:
                    lacking(error)
                same(door, ("TCP_AO",))
                with connect(door, setup=lambda sock, f=family: put_ao(
                        sock, host(f), b"secret")) as client:
                    same(client, ("TCP_AO",))
                    with door.accept()[0] as server:
                        same(server, ("TCP_AO",))
                delete_ao(door, host(family))
                same(door)


@test
def all_at_once():
    """One socket with every option that it can have: the longest row."""
    with Netns():
        modprobe("dummy")
        ip("link add ,,,,,,,,,,,,,,, type dummy")
        for make in (lambda: listener(INET6, address="::"),
                     lambda: pair(INET6)[0], lambda: udp(INET6),
                     lambda: listener(INET, address="0.0.0.0"),
                     lambda: udp(INET, address="0.0.0.0")):
            with make() as sock:
                row = row_of(sock, table_of(sock)).line
                told = set_everything(sock)
                options = same(sock, told)
                wanted = 30 if "tcp" in table_of(sock) else 20
                check(len(options) > wanted, len(options), "options on", row)


def set_everything(sock):
    """Set what can be set, to the longest values; return what to tell."""
    told = set_much(sock)
    for name, what in (("TCP_ULP", "tls"), ("TCP_REPAIR", 1),
                       ("SO_BINDTODEVICE", "," * 15)):
        with contextlib.suppress(OSError):
            put(sock, name, what)
    return told


def set_much(sock):
    """The same, without what needs a device, a module, or breaks the socket."""
    told = set()
    table = table_of(sock)
    for case in CASES:
        if not shows(OPTIONS[case.name], table) or case.name == "TCP_REPAIR":
            continue
        values = case.values[:-1] if case.back else case.values
        for what in values:         # the last one that it takes
            with contextlib.suppress(OSError):
                put(sock, case.name, what)
                told.add(case.name)
    for function, name in ((put_md5, "TCP_MD5SIG"), (put_ao, "TCP_AO")):
        if table.startswith("tcp"):
            with contextlib.suppress(OSError):
                function(sock, host(sock.family), b"secret")
                told.add(name)
    return told


@test
def every_kind_of_value():
    """getsockopt and the judge mean the same thing: a check of the judge."""
    with socket.socket() as sock:
        equal(value(OPTIONS["SO_RCVTIMEO"], struct.pack("=qq", 1, 250000)),
              "1250ms")
        equal(value(OPTIONS["SO_LINGER"], struct.pack("=ii", 1, 9)), "9s")
        equal(escaped(b"a,b c\\\xff"), "a\\054b\\040c\\134\\377")
        equal(get(sock, OPTIONS["UDP_CORK"]), None, "an option it hasn't")
        equal(os.path.basename(table_of(sock)), "tcpstat")
        check(sock.getsockopt(SOL_TCP, socket.TCP_NODELAY) == 0, "nodelay")
