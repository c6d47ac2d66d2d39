# SPDX-License-Identifier: GPL-2.0
"""The kernel's scripts of packets, by packetdrill, where that was given."""

import os

from lib.ktap import Skip, cases, test
from selftests.twice import KERNEL, twice


@test
def scripts():
    """All that come with the kernel."""
    if not os.path.exists(f"{KERNEL}/packetdrill"):
        raise Skip("no packetdrill: see tests/selftests/run")
    # On a slow machine that four readers keep busy a packet comes when it comes.
    os.mkdir("/tmp/packetdrill")
    with open("/tmp/packetdrill/packetdrill", "w", encoding="ascii") as file:
        file.write(f"#!/bin/sh\nexec {KERNEL}/packetdrill --tolerance_usecs=1000000 \"$@\"\n")
    os.chmod("/tmp/packetdrill/packetdrill", 0o755)
    os.environ["PATH"] += ":/tmp/packetdrill"
    names = sorted(name for name in os.listdir(f"{KERNEL}/net/packetdrill")
                   if name.endswith(".pkt"))
    cases(names, lambda name: twice("./ksft_runner.sh", name, folder="packetdrill"))
