"""Runs a program to its end and prints what it used:  measure.py PROGRAM [ARGUMENT]...

What the program prints comes first. Its peak memory it must tell by itself: the figure that the
system keeps for an ended child includes the interpreter that started it.
"""

import json
import os
import sys
import time

begin = time.monotonic()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
wall = time.monotonic() - begin
print(json.dumps({"cpu_s": usage.ru_utime + usage.ru_stime, "wall_s": wall}))
sys.exit(os.waitstatus_to_exitcode(status) != 0)
