# A foreign C library on our loop, against a real server: hiredis and redis-server.
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
need redis-server
if [[ ! -x $programs/stage6_hiredis ]]; then
  echo "skipped: there was no hiredis when this was built (Debian: libhiredis-dev)"
  exit 77
fi
port=$(free_port)
start redis redis-server --bind 127.0.0.1 --port "$port" --save '' --appendonly no --dir "$scratch"
wait_until listens "$port"
"$programs/stage6_hiredis" "$port" || fail "hiredis on our loop"
