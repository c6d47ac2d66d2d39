# SPDX-License-Identifier: GPL-2.0
"""The kernel's own tests of Unix sockets."""

from lib.ktap import LONG, cases, test
from selftests.twice import twice

NAMES = ("./diag_uid", "./scm_pidfd", "./scm_rights", "./unix_connect", "./msg_oob")


@test
def programs():
    """One of them, or all where there is time."""
    cases(NAMES if LONG else NAMES[:1], lambda name: twice(name, folder="af_unix"))
