#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stops one thread of a process, as a core that hangs: stall.py TID says "stalled", and lets it go on SIGTERM or at its own end."""
import ctypes
import os
import signal
import sys

SEIZE, INTERRUPT, WAIT_ALL = 0x4206, 0x4207, 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
tid = int(sys.argv[1])
for request in (SEIZE, INTERRUPT):
    if libc.ptrace(request, tid, None, None) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
os.waitpid(tid, WAIT_ALL)
print("stalled", flush=True)
signal.pause()
