# SPDX-License-Identifier: GPL-2.0
"""The numbers of system calls that Python has no name for, on this machine."""

import os

# amd64's, and those that newer architectures share.
_NUMBERS = {
    "bpf": (321, 280), "clone": (56, 220), "clone3": (435, 435), "delete_module": (176, 106),
    "exit": (60, 93), "finit_module": (313, 273), "io_getevents": (208, 4),
    "io_setup": (206, 0), "io_submit": (209, 2), "openat": (257, 56),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
}


def number(name):
    """The number of the system call @name."""
    return _NUMBERS[name][os.uname().machine != "x86_64"]
