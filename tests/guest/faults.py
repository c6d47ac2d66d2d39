# SPDX-License-Identifier: GPL-2.0
"""When memory is short: it works, or it fails with an error, and nothing leaks.

Only the debug kernel can fail an allocation on purpose. /proc/PID/fail-nth
makes the Nth one of this process fail, whoever asks for it; each operation is
tried with every N, from the first of its allocations to beyond the last.
"""

import errno
import os
import random
import re
import socket
import time

from lib import tables
from lib.ktap import (LONG, SEED, Failed, Skip, check, equal, in_child, note, test)
from lib.tables import FILES, TABLES, agree
from lib.world import Kmsg, Netns, insmod, listener, loaded, rmmod, udp

INET, INET6 = socket.AF_INET, socket.AF_INET6
DEBUGFS = "/sys/kernel/debug"
NEVER = 1000000         # more allocations than anything here makes

# What a user may be told when there is no memory.
HONEST = (errno.ENOMEM, errno.ENFILE, errno.EAGAIN, errno.ENOBUFS)


class Faults:
    """Fails the allocations of this process, one at a time."""

    def __enter__(self):
        if not os.path.exists("/proc/self/fail-nth"):
            raise Skip("this kernel can't fail allocations on purpose")
        for name in os.listdir(DEBUGFS):
            for setting, value in (("verbose", "0"), ("ignore-gfp-wait", "N"),
                                   ("ignore-gfp-highmem", "N"),
                                   ("min-order", "0")):
                path = f"{DEBUGFS}/{name}/{setting}"
                if name.startswith("fail") and os.path.exists(path):
                    with open(path, "w", encoding="ascii") as file:
                        file.write(value)
        self.fd = os.open("/proc/self/fail-nth", os.O_RDWR)
        # A page that our own process touches may be what it doesn't get.
        kmsg("knetstat-test: expect VM_FAULT_OOM")
        return self

    def __exit__(self, *_):
        os.close(self.fd)
        kmsg("knetstat-test: expected")

    def left(self):
        """How many allocations are still to come before the one that fails."""
        return int(os.pread(self.fd, 20, 0))

    def during(self, nth, operation, *args):
        """Run @operation with its @nth allocation failing.

        Returns whether one did fail, what it returned, and its error.
        """
        result = error = None
        os.pwrite(self.fd, str(nth).encode(), 0)
        try:
            result = operation(*args)
        except (OSError, MemoryError) as caught:
            error = caught
        finally:
            left = self.left()
            os.pwrite(self.fd, b"0", 0)
        return left == 0, result, error

    def count(self, operation, *args):
        """How many allocations @operation makes; it must work."""
        os.pwrite(self.fd, str(NEVER).encode(), 0)
        try:
            operation(*args)
        finally:
            left = self.left()
            os.pwrite(self.fd, b"0", 0)
        return NEVER - left


def kmsg(text):
    """Write to the kernel log, where tests/vm/klog reads it."""
    with open("/dev/kmsg", "w", encoding="ascii") as file:
        file.write(f"{text}\n")     # without an end it stays open for more


def honest(error, what):
    """Fail if @error is not one of those for lack of memory."""
    check(isinstance(error, MemoryError) or error.errno in HONEST, what,
          "failed with", repr(error))


def each_allocation(faults, operation, undo, most=2000):
    """Fail each allocation of @operation in turn; undo(result) when it works.

    Returns how often it worked nevertheless, and how often it failed.
    """
    worked = failed = 0
    for nth in range(1, most):
        injected, result, error = faults.during(nth, operation)
        if error:
            honest(error, f"allocation {nth}")
            failed += 1
        else:
            undo(result)
            worked += 1
        if not injected:
            check(not error, "failed without a fault:", repr(error))
            return worked, failed
    raise Failed(f"more than {most} allocations")


@test
def opening():
    """open() of each table: an error, or a file that says the truth."""
    with Faults() as faults, Netns():
        kept = [udp(INET), udp(INET6), listener(INET), listener(INET6)]
        for table in *TABLES, "socktrouble":
            wanted = tables.slurp(f"/proc/net/{table}")

            def whole(fd, wanted=wanted):
                equal(tables.drain(fd, 4096), wanted, "read")
                os.close(fd)
            worked, failed = each_allocation(
                faults, lambda t=table: os.open(f"/proc/net/{t}", os.O_RDONLY),
                whole)
            note(f"{table}: {failed} opens failed, {worked} worked")
            check(failed >= 2, "too few allocations in an open")
        del kept


@test
def reading():
    """read() of a large table: all of it, or an error and then all of it."""
    with Faults() as faults, Netns():
        kept = [udp(INET) for _ in range(1500)]
        wanted = tables.slurp("/proc/net/udpstat")
        buffer = bytearray(len(wanted) + 1000)
        fd = os.open("/proc/net/udpstat", os.O_RDONLY)

        def passes():
            """A pass without an allocation of Python's own in between."""
            end, view = 0, memoryview(buffer)
            os.lseek(fd, 0, os.SEEK_SET)
            while got := os.readv(fd, [view[end:end + 50000]]):
                end += got
            return end

        def whole(length):
            equal(bytes(buffer[:length]) == wanted, True, "the whole table")
        worked, failed = each_allocation(faults, passes, whole)
        note(f"{failed} passes failed, {worked} worked")
        whole(passes())
        os.close(fd)
        del kept


@test
def loading():
    """insmod: an error and nothing left, or the module and all its files."""
    some = [Netns() for _ in range(3)]      # so that it can fail half way
    rmmod()
    try:
        with Faults() as faults:
            failures = load_with_faults(faults, some)
        check(failures > 4, "too few failures")
    finally:
        if not loaded():
            insmod()
    for netns in some:
        with netns:
            for table in TABLES:
                agree(table)


def load_with_faults(faults, some):
    """insmod with one of its allocations failing, most of them late ones.

    The kernel's own loader makes most of them, and it comes first; of the last ones
    each seventh has its turn here, from one of the first seven on by chance, and all of
    them in the long form. The very last are of what the module does without if it must:
    who reads and accepts sessions.
    """
    total = faults.count(insmod)
    rmmod()
    step = 1 if LONG else 7
    last = range(max(1, total - 250) + random.Random(SEED).randrange(step), total + 1, step)
    first = range(1, last.start, max(1, total // 20))
    failed = []
    for nth in [*first, *last]:
        _, _, error = faults.during(nth, insmod)
        if not error:
            rmmod()
            continue
        honest(error, f"insmod with allocation {nth} of {total}")
        check(not loaded(), "loaded, and yet an error")
        failed.append(nth)
        for netns in some:
            with netns:
                left = [name for name in FILES
                        if os.path.exists(f"/proc/net/{name}")]
                check(not left, "left behind:", left)
    note(f"seed {SEED}: {total} allocations; insmod failed for those at {failed}")
    return len(failed)


@test
def birth_of_a_namespace():
    """unshare: an error, or a namespace with all files."""
    def born():
        os.unshare(os.CLONE_NEWNET)

    def all_of_them():
        here = os.open("/proc/self/ns/net", os.O_RDONLY)
        with Faults() as faults:        # of this very process
            total = faults.count(born)
            os.setns(here, os.CLONE_NEWNET)
            failed = []
            # Ours come last: the module was loaded after all others.
            for nth in range(max(1, total - 40), total + 1):
                _, _, error = faults.during(nth, born)
                if error:
                    honest(error, f"unshare with allocation {nth} of {total}")
                    failed.append(nth)
                else:
                    for table in TABLES:
                        tables.read(table)
                    missing = [name for name in FILES
                               if not os.path.exists(f"/proc/net/{name}")]
                    check(not missing, "missing:", missing)
                os.setns(here, os.CLONE_NEWNET)
        note(f"{total} allocations; unshare failed for those at {failed}")
        check(len(failed) >= 4, "too few failures")

    in_child(all_of_them)


@test
def nothing_leaked():
    """kmemleak finds nothing of ours, whatever the tests before this did."""
    path = f"{DEBUGFS}/kmemleak"
    if not os.path.exists(path):
        raise Skip("this kernel has no kmemleak")
    log = Kmsg()
    rmmod()     # what only the module still points to is a leak as well
    try:
        time.sleep(6)       # kmemleak leaves alone what is younger than 5 s
        for _ in range(2):
            with open(path, "w", encoding="ascii") as file:
                file.write("scan")
    finally:
        insmod()
    with open(path, encoding="utf-8", errors="replace") as file:
        reports = file.read().split("unreferenced object")[1:]
    # A function of a module that was unloaded has no name any more.
    ours = [report for report in reports
            if re.search(r"knetsta|^\s+0x[0-9a-f]+$|\[<0*[1-9a-f]", report,
                         re.MULTILINE)]
    note(f"{len(reports)} reports, {len(ours)} of them ours")
    check(not ours, "leaked:", "\n".join(ours[:3]))
    for report in reports:
        note(report)
    check(not [line for line in log.lines() if "knetstat" in line and
               "leak" in line], "said in the log")
