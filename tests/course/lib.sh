# What the scripts of the course share; they source it from the repository's root, under `set -euo pipefail`.

course=tests/course

# The steps, as "3.7", and their titles, from steps.txt.
mapfile -t steps < <(sed -nE 's/^([1-6]\.[0-9]+) .*/\1/p' "$course/steps.txt")
title_of() { sed -nE "s/^${1/./\\.} //p" "$course/steps.txt"; }
idea_of() { sed -nE "/^${1/./\\.} /{n; s/^ +//p}" "$course/steps.txt"; } # the line below it
steps_of() { printf '%s\n' "${steps[@]}" | grep "^$1\."; }
is_step() { [[ " ${steps[*]} " == *" $1 "* ]]; }

# The file that checks a step.
source_of() {
  local found=("$course/stage${1%.*}/$1"_*.cpp)
  [[ -f ${found[0]} ]] && printf '%s' "${found[0]}"
}

headers_of() { printf '%s\n' stage"$1"_*/by_hand/*.h; }  # our own, of stage N

# blank STEPS HEADER: the header without what these steps write: "1.3 1.4", "all", "after 1.3"; see markers.awk.
blank() { awk -v titles="$course/steps.txt" -v blank="$1" -f "$course/markers.awk" "$2"; }

# part_of STEP: what by_hand writes for this step.
part_of() { awk -v titles="$course/steps.txt" -v part="$1" -f "$course/markers.awk" stage*_*/by_hand/*.h; }

# --- Building and running a step.

compiler_flags() {
  # Without the last one g++ lets the stack grow with each await of a coroutine that does not suspend.
  flags=(-std=c++20 -O0 -pthread -Werror=return-type -I "$course" -foptimize-sibling-calls)
}

# roots_for STEP DIR OURS: the include roots: those of our by_hand below the stage if OURS is 1, then DIR.
roots_for() {
  local stage
  roots=()
  if (($3)); then
    for ((stage = 1; stage < ${1%.*}; stage++)); do roots+=(-I "$(echo stage"$stage"_*)"); done
  fi
  roots+=(-I "$2")
}

# build_step STEP OUT FLAGS...: OUT, and what the compiler says in OUT.log.
build_step() {
  local step=$1 out=$2
  shift 2
  "${compiler[@]}" "${flags[@]}" "$@" "$(source_of "$step")" "$check_object" -o "$out" >"$out.log" 2>&1
}

# The part that all steps have in common is compiled once.
build_check_object() {
  check_object=$1
  shift
  if [[ $check_object -nt $course/check.cpp && $check_object -nt $course/check.h ]]; then return; fi
  mkdir -p "$(dirname "$check_object")"
  "${compiler[@]}" "${flags[@]}" "$@" -c "$course/check.cpp" -o "$check_object.$$"
  mv "$check_object.$$" "$check_object"
}

# run_step STEP PROGRAM: its sentence on stdout. What it writes to stderr goes to PROGRAM.err.
run_step() {
  local code=0
  timeout --kill-after=1 30 "$2" "$1" >"$2.out" 2>"$2.err" </dev/null || code=$?
  if ((code == 0)); then return 0; fi
  # What a body without exceptions says before it exits.
  if grep -m1 '^Not written yet: ' "$2.err"; then return 2; fi
  if grep -E '^(Expected |Not written yet)' "$2.out" | tail -n 1 | grep .; then return "$code"; fi
  if translate_report "$2.err"; then return 1; fi
  if ((code == 124 || code == 137)); then
    echo 'The program was still running after 30 s.'
    return 1
  fi
  echo "The program ended with exit code $code and without a verdict."
  return 1
}

# translate_report FILE: a sanitizer's report, in one sentence.
translate_report() {
  local kind
  kind=$(grep -m1 -oE 'ERROR: (Address|Leak)Sanitizer: [^ ]+|runtime error: .*' "$1") || return 1
  case $kind in
    *heap-use-after-free*) echo 'The program used an object after it was freed.' ;;
    *stack-use-after-*) echo 'The program used a local variable after its function had returned.' ;;
    *buffer-overflow*) echo 'The program read or wrote beyond the end of an array or object.' ;;
    *double-free* | *attempting*) echo 'The program freed the same object twice.' ;;
    *stack-overflow*) echo 'The stack overflowed: functions or coroutines call each other without end.' ;;
    *detected*) echo 'Memory was not freed: an object, or a coroutine frame, that nobody destroyed.' ;;
    *SEGV*) echo 'The program used memory that is not there, e.g. through a null pointer.' ;;
    *'runtime error'*) echo "Undefined behaviour: ${kind#*runtime error: }." ;;
    *) echo "${kind#ERROR: }." ;;
  esac
}
