# SPDX-License-Identifier: GPL-2.0
"""The Kernel Connection Multiplexor: a kernel thread reads from a TCP socket."""

import ctypes
import fcntl
import os
import socket
import struct

from lib import syscalls
from lib.ktap import Skip
from lib.world import LIBC, modprobe

AF_KCM, KCMPROTO_CONNECTED, SIOCKCMATTACH = 41, 0, 0x89E0
SYS_BPF = syscalls.number("bpf")
BPF_PROG_LOAD, BPF_PROG_TYPE_SOCKET_FILTER = 5, 1


def _program(size):
    """A BPF program that says of each message that it is @size bytes long."""
    text = struct.pack("=BBhi", 0xb7, 0, 0, size) + struct.pack("=BBhi", 0x95, 0, 0, 0)
    text, licence = ctypes.create_string_buffer(text, len(text)), ctypes.c_char_p(b"GPL")
    attr = struct.pack("=IIQQIIQ88x", BPF_PROG_TYPE_SOCKET_FILTER, 2, ctypes.addressof(text),
                       ctypes.cast(licence, ctypes.c_void_p).value, 0, 0, 0)
    fd = LIBC.syscall(SYS_BPF, BPF_PROG_LOAD, attr, len(attr))
    if fd < 0:
        raise Skip(f"no BPF: {os.strerror(ctypes.get_errno())}")
    return fd


def need():
    """Skip where there is none, before there is anything to leave behind."""
    _multiplexor().close()
    os.close(_program(1))


def _multiplexor():
    modprobe("kcm")
    try:
        return socket.socket(AF_KCM, socket.SOCK_DGRAM, KCMPROTO_CONNECTED)
    except OSError as error:
        raise Skip("no KCM in this kernel") from error


def attach(sock, size):
    """Give @sock to a new multiplexor for messages of @size bytes. What waits in it
    is read by a kernel thread; the socket that it can be read from."""
    kcm = _multiplexor()
    program = _program(size)
    fcntl.ioctl(kcm, SIOCKCMATTACH, struct.pack("=ii", sock.fileno(), program))
    os.close(program)
    return kcm
