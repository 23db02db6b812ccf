# run.sh TEST.py PROGRAM: runs the test, or skips it if there is no Python.
if ! command -v python3 >/dev/null; then
  echo "skipped: there is no python3"
  exit 77
fi
PYTHONDONTWRITEBYTECODE=1 exec python3 "$@"
