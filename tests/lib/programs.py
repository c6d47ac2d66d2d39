# SPDX-License-Identifier: GPL-2.0
"""The programs, built for a test."""

import os
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def build(name, where, root=None, more=""):
    """Build the program @name in the directory @where, with sanitizers, to look for its
    files below @root (or @where), and with the sources @more."""
    root = root or where
    subprocess.run(["make", "-s", "-C", TOP, f"{where}/{name}", f"TOOLS={where}",
                    f"CC={os.environ.get('CC', 'gcc')}", "VERSION=1.2.3",
                    f"CPPFLAGS=-DKNETSTAT_ROOT='\"{root}\"' -DROOT='\"{root}\"'",
                    "CFLAGS=-g -O1 -Wall -Wextra -Werror -fsanitize=address,undefined"
                    " -fno-sanitize-recover", "LTO=", f"LDLIBS={more}"], check=True)
