#!/usr/bin/env bash
# read_next_test.sh ROOT [FOLDER…]: "Read next: FILE", in the README and at the head of each header, is a chain. It starts at
# ROOT/README.md and reaches every public header in the folders (default: all stages). FILE is relative to the file that
# names it; of several files the first is the chain's. Detail headers need not be on the chain, nor name a file, but what
# they name is there, and leads back to the chain or to an end: there is no circle. The first line of a public header says
# what it is, and its head what it mirrors.
set -euo pipefail
root=$(cd -- "$1" && pwd)
shift
cd -- "$root"
(($#)) || set -- stage*
failed=0
fail() {
  echo "Read next: $1" >&2
  failed=1
}

# next_of FILE: what it names, or nothing.
next_of() {
  awk '
    FILENAME ~ /\.h$/ && !/^\/\// { exit }               # in a header only the comment at its head
    { sub(/^\/\/+ */, ""); text = text " " $0 }
    END {
      if (!match(text, /Read next: */)) exit
      text = substr(text, RSTART + RLENGTH)
      if (text ~ /^\[/) sub(/^\[[^]]*\]\(/, "", text)     # [text](file)
      match(text, /^[^][ ,;:()`]*/)
      text = substr(text, 1, RLENGTH)
      sub(/\.$/, "", text)
      print text
    }' "$1"
}

declare -A next reached
# step FILE: sets `to`, the file it names, relative to the root; empty: it names none, or one that is not there.
step() {
  local name
  if [[ ! -v next[$1] ]]; then
    next[$1]=
    name=$(next_of "$1")
    if [[ -n $name ]]; then
      if [[ -f $(dirname -- "$1")/$name ]]; then
        next[$1]=$(realpath -m --relative-to=. -- "$(dirname -- "$1")/$name")
      else
        fail "$1 names $name, which is not there"
      fi
    fi
  fi
  to=${next[$1]}
}

# walk FILE: to the end of its way, or to where another way has been. `last` is the end.
walk() {
  local -A own=()
  to=$1
  while [[ -n $to && ! -v reached[$to] ]]; do
    reached[$to]=1 own[$to]=1 last=$to
    step "$to"
  done
  if [[ -n $to && -v own[$to] ]]; then fail "$last names $to, which has been read: a circle"; fi
}

last=
walk README.md
end=$last
mapfile -t headers < <(find "$@" -path '*/asyncio/*.h' ! -path '*/detail/*' | LC_ALL=C sort)
for header in "${headers[@]}"; do
  opening=$(awk '!/^\/\// { exit } { print }' "$header")
  [[ $opening == "// "[[:alnum:]\`\"]* && ! $opening =~ ^"// "(Mirrors|Read next|Skip) ]] ||
    fail "$header does not open with what it is"
  [[ $opening == *Mirrors:* ]] || fail "$header does not say what it mirrors"
  [[ -v reached[$header] ]] || fail "no one on the chain from README.md, which ends at $end, names $header"
done
mapfile -t details < <(find "$@" -path '*/asyncio/*/detail/*.h' -o -path '*/asyncio/detail/*.h' | LC_ALL=C sort)
for detail in "${details[@]}"; do
  step "$detail"
  walk "$detail"
done
((${#headers[@]} > 0)) || fail "there are no headers"
((failed)) || echo "README.md to $end: ${#headers[@]} public headers"
exit "$failed"
