# What the scripts of this folder share. Sets $programs, $scratch; ends what was started with `start`.
set -euo pipefail
programs=$1
scratch=$(mktemp -d)
started=()
trap 'for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done; rm -rf "$scratch"' EXIT

need() {
  for tool in "$@"; do
    if ! command -v "$tool" >/dev/null; then
      echo "skipped: there is no $tool"
      exit 77
    fi
  done
}

fail() {
  echo "FAILED: $1"
  tail -n 20 "$scratch"/*.out "$scratch"/*.err 2>/dev/null || true
  exit 1
}

# start NAME COMMAND...: in the background, its output in $scratch/NAME.out.
start() {
  local name=$1
  shift
  "$@" >"$scratch/$name.out" 2>"$scratch/$name.err" &
  started+=($!)
}

# wait_until COMMAND...: until it succeeds; a minute at most.
wait_until() {
  for _ in $(seq 600); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.1
  done
  fail "'$*' does not come true"
}

# port_of NAME: what a program printed as "port N".
port_of() {
  wait_until grep -q '^port [0-9]' "$scratch/$1.out"  # Python writes the word first, and then the number
  sed -n 's/^port //p' "$scratch/$1.out"
}

# A port that nobody has just now, for those who cannot choose one themselves.
free_port() {
  local port
  for _ in $(seq 100); do
    port=$((20000 + RANDOM % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port" && return; fi
  done
}

# udp_answer MESSAGE CLIENT...: the line that comes back. UDP has no end, so the client is ended when the line is there.
udp_answer() {
  local message=$1 answer=
  shift
  coproc "$@"
  echo "$message" >&"${COPROC[1]}"
  read -r -t 60 answer <&"${COPROC[0]}" || true
  kill "$COPROC_PID"
  echo "$answer"
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
