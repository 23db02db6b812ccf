"""Against Debian's redis-server: see examples/redis_client.cpp for what it does there."""
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from support import LIMIT, check, run

if not shutil.which("redis-server"):
    print("skipped: there is no redis-server")
    sys.exit(77)

with tempfile.TemporaryDirectory() as folder:
    path = f"{folder}/redis.sock"  # no port: nobody else can have it
    redis = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no",
                              "--dir", folder], stdout=subprocess.DEVNULL)
    try:
        for _ in range(LIMIT * 100):
            try:
                socket.socket(socket.AF_UNIX).connect(path)
                break
            except OSError:
                time.sleep(0.01)
        else:
            check(False, "redis-server does not listen")

        for _ in range(2):  # it does not depend on what it left there
            lines = run(path)
            check(lines[:5] == ["1000 visits, the last ones:", "  visit 1000", "  visit 999", "  visit 998",
                                "a key that is not there is nil: true"], lines)
            check(len(lines) == 6 and lines[5].startswith("refused: ERR unknown command"), lines)
    finally:
        redis.kill()
        redis.wait()

run(path, code=1)  # redis-server has gone
