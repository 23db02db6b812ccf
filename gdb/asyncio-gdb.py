# gdb, taught about tasks: `asyncio ps`, `asyncio tree`, `asyncio bt [TASK]`; `bt` goes on into the frames that await;
# futures, tasks, loops, queues and other objects print as their repr(). To load it: `source …/asyncio-gdb.py`, or link
# asyncio::gdb, which has it inside. Nothing of the program is called, so a core file serves as well as a live process.
# Mirrors: Lib/asyncio/tools.py (`python -m asyncio ps`, `pstree`). "In gdb", in stage 3's README, says more.

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import asyncio_gdb.commands
import asyncio_gdb.backtrace
import asyncio_gdb.printers
