"""Each recipe does what it says."""
from support import check, run

lines = run()
check(lines == ["SIGTERM came", "sum 285, 3 at a time", "0 1 2 and no more", "cleaned up", "and cancelled"], lines)
