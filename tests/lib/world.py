# SPDX-License-Identifier: GPL-2.0
"""What tests are played in: namespaces, links between them, users, sockets."""

import contextlib
import ctypes
import errno
import fcntl
import os
import resource
import socket
import struct
import subprocess

from lib import syscalls, tables
from lib.ktap import Failed, check, in_child, until

PLAIN_USER = 1000

IPPROTO_MPTCP = 262
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
MS_REC, MS_PRIVATE = 1 << 14, 1 << 18

ANY = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


class Netns:
    """A network namespace, held by a descriptor and entered by "with".

    A test is one process with one thread, so that entering a namespace moves
    all of it: what it opens in /proc/net inside is that namespace's.
    """

    def __init__(self):
        with self._back():
            os.unshare(os.CLONE_NEWNET)
            self.fd = os.open("/proc/self/ns/net", os.O_RDONLY)
            lo_up()
        self.outside = []

    @staticmethod
    @contextlib.contextmanager
    def _back():
        outside = os.open("/proc/self/ns/net", os.O_RDONLY)
        try:
            yield
        finally:
            os.setns(outside, os.CLONE_NEWNET)
            os.close(outside)

    def __enter__(self):
        self.outside.append(os.open("/proc/self/ns/net", os.O_RDONLY))
        os.setns(self.fd, os.CLONE_NEWNET)
        return self

    def __exit__(self, *_):
        outside = self.outside.pop()
        os.setns(outside, os.CLONE_NEWNET)
        os.close(outside)

    @property
    def path(self):
        """A name of this namespace that other processes can use."""
        return f"/proc/{os.getpid()}/fd/{self.fd}"

    def close(self):
        """Let go of it; it dies when its last socket and process has."""
        os.close(self.fd)


def alone():
    """Wait for the end of what earlier tests left: namespaces, and sessions here.

    Each would be one more to whoever counts the sessions of all namespaces. One
    that nothing but its sockets holds has no name to look for; but no namespace
    can be made within a limit of one while there is another.
    """
    def made_one():
        try:
            os.unshare(os.CLONE_NEWNET)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return False
        return True

    def sessions():
        return [row for table in ("tcpstat", "tcp6stat")
                for row in tables.read_kernel(table)
                if row.stat not in ("TIMW", "LSTN")]

    limit = sysctl("user/max_net_namespaces")
    try:
        sysctl("user/max_net_namespaces", 1)
        until(lambda: in_child(made_one), "the end of other tests' namespaces")
    finally:
        sysctl("user/max_net_namespaces", limit)
    until(lambda: not sessions(), sessions)


def own_mounts():
    """Have a mount namespace in which to mount; nothing of it is seen outside."""
    os.unshare(os.CLONE_NEWNS)
    # Not by mount(8): its newer way is refused for a rootfs by 5.15.
    if LIBC.mount(None, b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None):
        raise OSError(ctypes.get_errno(), "mount --make-rprivate /")


def lo_up():
    """Bring up the loopback device of the current namespace."""
    with socket.socket() as sock:
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", IFF_UP))


def ip(*commands):
    """Run ip(8) commands in the current namespace."""
    done = subprocess.run(["ip", "-batch", "-"], input="\n".join(commands),
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise Failed(f"ip {commands}: {done.stdout.strip()}")


def run(*command, **more):
    """The output of @command, which must succeed."""
    done = subprocess.run(command, check=False, text=True,
                          **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more})
    if done.returncode:
        raise Failed(f"{' '.join(command)}: status {done.returncode}: "
                     f"{done.stdout}{done.stderr or ''}")
    return done.stdout


def join(one, other, addresses, name="veth"):
    """Join two namespaces by a veth pair, each end named @name and up.

    @addresses gives for each end the addresses it gets. DAD is off, so that
    they can be used at once.
    """
    with one:
        ip(f"link add {name} type veth peer name {name} netns {other.path}")
    for netns, mine in ((one, addresses[0]), (other, addresses[1])):
        with netns:
            sysctl(f"net/ipv6/conf/{name}/accept_dad", 0)
            ip(f"link set {name} up",
               *(f"address add {address} dev {name}"
                 f"{' nodad' if ':' in address else ''}"
                 for address in mine))


def sysctl(name, value=None):
    """The sysctl @name, after setting it to @value if there is one."""
    path = f"/proc/sys/{name}"
    if value is not None:
        with open(path, "w", encoding="ascii") as file:
            file.write(str(value))
    with open(path, encoding="ascii") as file:
        return file.read().strip()


@contextlib.contextmanager
def user(uid):
    """Be @uid, without capabilities, for what files and sockets are owned by."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def enter_userns(uids="0 0 1", gids="0 0 1"):
    """Become root of a new user namespace; can't be undone: see in_child."""
    me = os.getpid()
    wait, unshared = os.pipe()
    helper = os.fork()      # stays outside, where the maps may be written
    if not helper:
        os.close(unshared)
        os.read(wait, 1)
        for name, text in (("uid_map", uids), ("gid_map", gids)):
            with open(f"/proc/{me}/{name}", "w", encoding="ascii") as file:
                file.write(text)
        os._exit(0)
    os.close(wait)
    os.unshare(os.CLONE_NEWUSER)
    os.close(unshared)
    check(os.waitpid(helper, 0)[1] == 0, "writing the maps of a user namespace")


def many_files():
    """Let this process and its children have as many sockets as they like."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (200000, 200000))


def host(family):
    """The loopback address of @family."""
    return ANY[family]


def listener(family, backlog=16, address=None, proto=0, setup=None, port=0):
    """A listening TCP socket; @setup(socket) runs before it is bound."""
    sock = socket.socket(family, socket.SOCK_STREAM, proto)
    if setup:
        setup(sock)
    sock.bind((address or host(family), port))
    sock.listen(backlog)
    return sock


def connect(to, address=None, setup=None, proto=0, family=None):
    """A TCP socket connected to the listener @to."""
    sock = socket.socket(family or to.family, socket.SOCK_STREAM, proto)
    if setup:
        setup(sock)
    sock.connect((address or host(sock.family), to.getsockname()[1]))
    return sock


def pair(family):
    """Two ends of a TCP connection over loopback, the connecting one first."""
    with listener(family) as door:
        client = connect(door)
        server = door.accept()[0]
    return client, server


def udp(family, address=None, connected_to=None, setup=None, port=0):
    """A bound UDP socket, connected to the UDP socket @connected_to if given."""
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if setup:
        setup(sock)
    sock.bind((address or host(family), port))
    if connected_to:
        sock.connect(connected_to.getsockname())
    return sock


class Kmsg:
    """What the kernel logs from now on."""

    def __init__(self):
        self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.fd, 0, os.SEEK_END)

    def lines(self):
        """The texts logged since the last call."""
        texts = []
        while True:
            try:
                record = os.read(self.fd, 8192).decode(errors="replace")
            except BlockingIOError:
                return texts
            except BrokenPipeError:     # overwritten before we came to it
                continue
            texts.append(record.split(";", 1)[1].split("\n", 1)[0])


LIBC = ctypes.CDLL(None, use_errno=True)
SYS_DELETE_MODULE = syscalls.number("delete_module")
SYS_FINIT_MODULE = syscalls.number("finit_module")

MODULE = "knetstat"
MODULE_FILE = os.environ.get("KNETSTAT_KO", "/knetstat/knetstat.ko")


def insmod(path=MODULE_FILE, parameters=""):
    """Load the module at @path by this very process."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if LIBC.syscall(SYS_FINIT_MODULE, fd, parameters.encode(), 0):
            error = ctypes.get_errno()
            raise OSError(error, f"insmod: {os.strerror(error)}")
    finally:
        os.close(fd)


def rmmod(name=MODULE):
    """Unload the module @name by this very process."""
    if LIBC.syscall(SYS_DELETE_MODULE, name.encode(), os.O_NONBLOCK):
        error = ctypes.get_errno()
        raise OSError(error, f"rmmod: {os.strerror(error)}")


def loaded(name=MODULE):
    """Is a module of that name loaded?"""
    return os.path.exists(f"/sys/module/{name}")


def modprobe(name):
    """Load a module of the kernel's own if there is one."""
    subprocess.run(["modprobe", "-q", name], check=False)


def gone(netns_link):
    """Wait until the link named @netns_link has left this namespace.

    The other end of a veth pair goes when its namespace is destroyed, which
    is how a test sees that nothing keeps a namespace alive.
    """
    def absent():
        return netns_link not in (name for _, name in socket.if_nameindex())
    until(absent, f"the end of the namespace at the other end of {netns_link}")


def need_files(net="/proc/net"):
    """Fail unless our files are there."""
    for name in ("tcpstat", "udpstat"):
        check(os.path.exists(f"{net}/{name}"), f"no {net}/{name}")
