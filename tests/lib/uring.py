# SPDX-License-Identifier: GPL-2.0
"""io_uring by its system calls: one request at a time is enough for us."""

import ctypes
import errno
import mmap
import os
import socket
import struct

from lib import syscalls
from lib.ktap import Skip
from lib.world import LIBC

SYS_SETUP, SYS_ENTER, SYS_REGISTER = map(
    syscalls.number, ("io_uring_setup", "io_uring_enter", "io_uring_register"))
POLL_ADD, RECV = 6, 27          # IORING_OP_
FIXED_FILE, ASYNC = 1, 16       # IOSQE_: a registered file, by a worker at once
REGISTER_FILES = 2
GETEVENTS = 1
REFUSALS = (errno.ENOSYS, errno.EPERM, errno.EINVAL, errno.EOPNOTSUPP)


class Ring:
    """An io_uring; Skip where there is none."""

    def __init__(self):
        setup = ctypes.create_string_buffer(120)
        self.fd = LIBC.syscall(SYS_SETUP, 4, setup)
        if self.fd < 0:
            raise Skip("no io_uring")
        numbers = struct.unpack("=30I", setup.raw)
        # struct io_sqring_offsets: head tail ring_mask ring_entries flags dropped array
        self.sq, self.cq = numbers[10:20], numbers[20:30]
        # One map has both queues since 5.4. io_cqring_offsets: cqes is the sixth.
        self.queue = mmap.mmap(self.fd, max(self.sq[6] + numbers[0] * 4,
                                            self.cq[5] + numbers[1] * 16), offset=0)
        self.slots = mmap.mmap(self.fd, numbers[0] * 64, offset=0x10000000)

    def _number(self, at, value=None):
        if value is not None:
            self.queue[at:at + 4] = struct.pack("=I", value)
        return struct.unpack_from("=I", self.queue, at)[0]

    def submit(self, opcode, fd, address=0, length=0, event=0, flags=0):
        """Have the kernel begin with it."""
        tail = self._number(self.sq[1])
        slot = tail & self._number(self.sq[2])
        self.slots[slot * 64:slot * 64 + 64] = struct.pack(
            "=BBHiQQIIQ24x", opcode, flags, 0, fd, 0, address, length, event, 1)
        self._number(self.sq[6] + 4 * slot, slot)
        self._number(self.sq[1], tail + 1)
        if LIBC.syscall(SYS_ENTER, self.fd, 1, 0, 0, None, 0) != 1:
            raise Skip(f"io_uring refuses: {os.strerror(ctypes.get_errno())}")

    def wait(self):
        """Wait for the next one's end; what it returned."""
        LIBC.syscall(SYS_ENTER, self.fd, 0, 1, GETEVENTS, None, 0)
        head = self._number(self.cq[0])
        slot = head & self._number(self.cq[2])
        result = struct.unpack_from("=Qi", self.queue, self.cq[5] + 16 * slot)[1]
        self._number(self.cq[0], head + 1)
        return result

    def receive(self, fd, count, flags=0):
        """Receive @count bytes, or raise what went wrong."""
        buffer = ctypes.create_string_buffer(count)
        while count:
            self.submit(RECV, fd, ctypes.addressof(buffer), count, flags=flags)
            got = self.wait()
            if -got in REFUSALS:      # io_uring_disabled, or no such request
                raise Skip(f"io_uring refuses: {os.strerror(-got)}")
            if got <= 0:
                raise OSError(-got, "receive")
            count -= got

    def register(self, fd):
        """Have a file of the ring's own: number 0."""
        if LIBC.syscall(SYS_REGISTER, self.fd, REGISTER_FILES,
                        ctypes.byref(ctypes.c_int(fd)), 1):
            raise OSError(ctypes.get_errno(), "IORING_REGISTER_FILES")

    def close(self):
        """Let go of it."""
        self.queue.close()
        self.slots.close()
        os.close(self.fd)


def need():
    """Skip where there is none that receives, before there is anything to leave behind."""
    one, other = socket.socketpair()
    ring = Ring()
    other.send(b"x")
    ring.receive(one.fileno(), 1)
    ring.close()
    one.close()
    other.close()
