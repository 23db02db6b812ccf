#!/usr/bin/env bash
# ./stages check [N[.S]] [DIR] [--hint | --details] [--on ours]: builds and runs the steps of the course in DIR, up to
# the first that fails. It keeps what is done, the programs and the hints given in DIR/.course.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
source tests/course/lib.sh

# --- The arguments; `stages` has checked them.

what=$1 folder=$2 mode=$3 on_ours=$4 # "", "3" or "3.7"; the folder; "", hint or details; 0 or 1
read -ra compiler <<<"${CXX:-g++}"
compiler_flags

say() { printf '%s\n' "$*"; }
say_lines() { printf '%s\n' "$@"; }
again="./stages check"
if [[ $folder != my_asyncio ]]; then again+=" $folder"; fi

state=$folder/.course
mkdir -p "$state"
touch "$state/passed" "$state/hints"

# --- What has passed: lines "STEP CHECKSUM", of the headers it was built from.

checksum() {
  local step=$1 stage files=()
  for ((stage = 1; stage <= ${step%.*}; stage++)); do
    for header in $(headers_of "$stage"); do
      if ((on_ours && stage < ${step%.*})); then files+=("$header"); else files+=("$folder/by_hand/${header##*/}"); fi
    done
  done
  cat "${files[@]}" "$(source_of "$step")" "$course/check.h" "$course/check.cpp" 2>/dev/null | cksum | tr ' ' -
}
has_passed() { grep -q "^$1 " "$state/passed"; }
is_fresh() { grep -qF "$1 $(checksum "$1")" "$state/passed"; }
forget() { sed -i "/^${1/./\\.} /d" "$state/passed"; }
remember() {
  forget "$1"
  say "$1 $(checksum "$1")" >>"$state/passed"
}

is_laid_out() {
  local header
  for header in $(headers_of "$1"); do [[ -f $folder/by_hand/${header##*/} ]] || return 1; done
}

# --- Checking.

bin=$state/bin
mkdir -p "$bin"

# build STEP FLAGS...: into $bin/STEP.
build() {
  local step=$1
  shift
  roots_for "$step" "$folder" "$on_ours"
  build_step "$step" "$bin/$step" "${roots[@]}" "$@"
}

# The first error of the compiler's, in a line.
compile_error() {
  local line
  line=$(grep -m1 -E ': (fatal )?error: |undefined reference' "$1" || head -n 1 "$1")
  say "Step $2 does not compile: ${line#"$PWD/"}"
}

# Does a stage below hold what this step adds? (run_until_complete() of stage 2 does, in loop.h.)
lies_below() {
  local stage
  for ((stage = 1; stage < ${1%.*}; stage++)); do
    if grep -qF "// [step $1]" $(headers_of "$stage"); then return 0; fi
  done
  return 1
}

# check_steps STEPS...: in order, up to the first that fails; the next ones are built meanwhile. Sets `failed` to it
# ("" if there is none), and `verdict` to its sentence.
check_steps() {
  local list=() pids=() next=0 i step code
  failed='' verdict=''
  for step in "$@"; do
    if ((on_ours)) && lies_below "$step"; then
      say "Step $step is not checked here: what it adds lies in a header of a stage below, which is ours."
    else
      list+=("$step")
    fi
  done
  build_check_object "$bin/check.o"
  for ((i = 0; i < ${#list[@]}; i++)); do
    while ((next < ${#list[@]} && next < i + parallel)); do
      build "${list[next]}" &
      pids+=($!)
      next=$((next + 1))
    done
    step=${list[i]} code=0
    if wait "${pids[i]}"; then
      verdict=$(run_step "$step" "$bin/$step") || code=$?
    else
      verdict=$(compile_error "$bin/$step.log" "$step") code=1
    fi
    if ((code)); then
      failed=$step
      forget "$step"
      wait
      return 1
    fi
    remember "$step"
  done
}
parallel=$(nproc)

stale_of() {
  local step
  for step in "$@"; do is_fresh "$step" || say "$step"; done
}

# "stage 3  ✓ ✓ ✗ · ·": the steps that have passed, and the one that has not.
progress() {
  local step line="stage $1 "
  for step in $(steps_of "$1"); do
    if [[ $step == "$failed" ]]; then
      line+=' ✗'
    elif has_passed "$step"; then
      line+=' ✓'
    else
      line+=' ·'
    fi
  done
  say "$line"
}

# Where a lesson speaks of a step: the paragraph above the quote of by_hand's part of it, and its heading. That of its own
# stage comes first; what run_until_complete() of stage 2 needs is quoted in that of stage 1.
lesson_of() {
  local lines own
  own=$(echo stage"${1%.*}"_*)/README.md
  lines=$(part_of "$1" | sed -E 's/^[ \t]+//' | grep -vE '^(//|$)' | awk 'length > 14' || true)
  awk -v lines="$lines" -v own="$own" '
    BEGIN { n = split(lines, wanted, "\n") }
    FNR == 1 { heading = code = ""; paragraph = 1 }
    /^ *```/ { code = !code }
    !code && last ~ /^ *$/ && !/^ *(```.*)?$/ { paragraph = FNR }
    { last = $0 }
    !code && /^#/ { heading = $0; sub(/^#+ */, "", heading) }
    { line = $0; sub(/^[ \t]+/, "", line); sub(/ *\/\/ \[step .*/, "", line) }
    !found { for (i = 1; i <= n; i++) if (line == wanted[i]) found = FILENAME ":" paragraph " (" heading ")" }
    END { print found ? found : own }' "$own" stage*_*/README.md
}

# Places, as FILE:LINE: what still throws NotImplemented in this step; its markers; and the functions of earlier steps to
# which it adds, which the skeleton names ("Later steps add to this").
throws_of() { grep -nF "mplemented(\"step $1: " "$folder"/by_hand/*.h | cut -d: -f1,2 || true; }
markers_of() { grep -nF "// [step $1]" "$folder"/by_hand/*.h | cut -d: -f1,2 || true; }
additions_of() {
  local header signature
  for header in stage*_*/by_hand/*.h; do
    blank all "$header" | awk -v step="$1" '
      /\/\/ \[step/ { opening = $0 }
      /Later steps add to this:/ && index($0 ",", " " step ",") + index($0, " " step ".") { print opening }' |
      sed -E 's/ *\/\/ \[step .*//; s/^ +//' | while IFS= read -r signature; do
      grep -nF -- "$signature" "$folder/by_hand/${header##*/}" /dev/null | head -n 1 | cut -d: -f1,2 || true
    done
  done
}
in_one_line() { tr '\n' ' ' | sed 's/ $//; s/ /, /g'; }

say_places() {
  local label='to write: ' places
  places=$(throws_of "$1" | in_one_line)
  if [[ -z $places ]]; then label='your code:' places=$(markers_of "$1" | in_one_line); fi
  if [[ -n $places ]]; then say "  $label   $places"; fi
  places=$(additions_of "$1" | in_one_line)
  if [[ -n $places ]]; then say "  it adds to:  $places"; fi
}

report_failure() {
  progress "${failed%.*}"
  say_lines '' "step $failed: $(title_of "$failed")"
  say_lines "  $(idea_of "$failed")" '' "$verdict"
  say ''
  say_places "$failed"
  say "  the lesson:  $(lesson_of "$failed")"
  say "  the check:   $(source_of "$failed")"
  say "  $again --hint gives a hint ($(hints_given "$failed") of $(hint_count "$failed") given)"
}

# --- Hints.

hints_of() {  # one a line; in the file, a hint begins with "- " and may go on in indented lines
  awk -v step="[$1]" '
    function flush() { if (hint) print hint; hint = "" }
    /^\[/ { flush(); inside = ($1 == step); next }
    inside && /^- / { flush(); hint = substr($0, 3); next }
    inside && /^  / { sub(/^ +/, ""); hint = hint " " $0 }
    END { flush() }' "$course/stage${1%.*}/hints.txt"
}
hint_count() { echo $(($(hints_of "$1" | wc -l) + 1)); }
hints_given() { sed -nE "s/^${1/./\\.} //p" "$state/hints" | grep . || echo 0; }

give_hint() {
  local step=$1 given count i=0 hint
  count=$(hint_count "$step") given=$(($(hints_given "$step") + 1))
  if ((given > count)); then given=$count; fi
  say "step $step: $(title_of "$step")"
  while IFS= read -r hint && ((++i <= given)); do
    say "  hint $i of $count: $hint"
  done < <(hints_of "$step")
  if ((given == count)); then
    say "  hint $count of $count: this is how by_hand does it"
    part_of "$step"
  fi
  sed -i "/^${step/./\\.} /d" "$state/hints"
  say "$step $given" >>"$state/hints"
}

# --- What to do.

# The lower stages have to pass, or ours take their place. `--on ours` asks for it.
choose_lower_stages() {
  local stage=$1 lower=()
  if ((on_ours || stage == 1)); then return 0; fi
  local n
  for ((n = 1; n < stage; n++)); do lower+=($(steps_of "$n")); done
  mapfile -t lower < <(stale_of "${lower[@]}")
  if ((${#lower[@]} == 0)) || check_steps "${lower[@]}"; then return 0; fi
  say "Your stage ${failed%.*} does not pass (step $failed), so stage $stage is checked on ours below it."
  say "  ./stages check $failed${again#./stages check} shows why."
  on_ours=1 failed=''
}

first_not_done() {
  local step
  for step in "${steps[@]}"; do has_passed "$step" || { say "$step" && return; }; done
}

lay_out_first() {
  say "stages: $folder has no stage $1 yet; ./stages learn $1${again#./stages check} lays it out" >&2
  exit 1
}

# name_lines FILE PROGRAM: FILE, with "file:line" in place of each "(PROGRAM+0x…)" that a sanitizer could not resolve.
name_lines() {
  local line place
  while IFS= read -r line; do
    if [[ $line =~ ^(.*\ )\([^\ ]*\+(0x[0-9a-f]+)\)$ && $line == *"/${2##*/}+"* ]]; then
      place=$(addr2line -e "$2" "${BASH_REMATCH[2]}" 2>/dev/null) || place='??:0'
      if [[ $place != '??'* ]]; then line="${BASH_REMATCH[1]}${place#"$PWD/"}"; fi
    fi
    say "$line"
  done <"$1"
}

show_details() {
  local step=$1 sanitize=(-g)
  if echo 'int main() {}' | "${compiler[@]}" -x c++ -fsanitize=address,undefined - -o "$bin/probe" 2>/dev/null; then
    sanitize+=(-fsanitize=address,undefined -fno-sanitize-recover=all)
  fi
  build_check_object "$bin/check_details.o" "${sanitize[@]}"
  if ! build "$step" "${sanitize[@]}"; then
    say_lines "$(compile_error "$bin/$step.log" "$step")" '' 'What the compiler says:'
    cat "$bin/$step.log"
    exit 1
  fi
  local code=0
  export UBSAN_OPTIONS=print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS} # so that it names the learner's own line
  verdict=$(run_step "$step" "$bin/$step") || code=$?
  say "step $step: $(title_of "$step")"
  if ((code == 0)); then say 'It passes, built with sanitizers.'; else say "$verdict"; fi
  say_lines '' 'What the program wrote:'
  cat "$bin/$step.out"
  name_lines "$bin/$step.err" "$bin/$step"
  exit "$((code != 0))"
}

step=''
if [[ $what == *.* ]]; then step=$what; fi
if [[ -z $what ]]; then step=$(first_not_done); fi
if [[ -n $what && -z $step ]]; then # of stage N, for --hint and --details
  for step in $(steps_of "$what"); do has_passed "$step" || break; done
fi

if [[ $mode == hint ]]; then
  if [[ -z $step ]]; then say 'All steps are done: there is nothing left to hint at.'; else give_hint "$step"; fi
  exit 0
fi
stage=${step%.*}
is_laid_out "${stage:-6}" || lay_out_first "${stage:-6}"
if [[ $mode == details && -n $step ]]; then
  choose_lower_stages "$stage"
  show_details "$step"
fi

if [[ $what == *.* ]]; then # one step
  choose_lower_stages "$stage"
  if check_steps "$step"; then
    progress "$stage"
    say "Step $step passes: $(title_of "$step")."
    exit 0
  fi
  report_failure
  exit 1
fi

# check_stage N STEPS...: these, then those of its other steps that were changed since they passed.
check_stage() {
  local stage=$1 stale
  shift
  choose_lower_stages "$stage"
  check_steps "$@" || return 1
  mapfile -t stale < <(stale_of $(steps_of "$stage"))
  if ((${#stale[@]})) && ! check_steps "${stale[@]}"; then
    verdict="It passed before, and no longer does. $verdict"
    return 1
  fi
  progress "$stage"
}

if [[ -n $what ]]; then # a stage
  check_stage "$what" $(steps_of "$what") || { report_failure && exit 1; }
  say "Stage $what passes."
  exit 0
fi

# From the first step that is not done.
while [[ -n $step ]]; do
  stage=${step%.*}
  if ! is_laid_out "$stage"; then # it was looked for above, so a stage has passed just now
    say "./stages learn $stage${again#./stages check} lays out the next stage."
    exit 0
  fi
  mapfile -t rest < <(steps_of "$stage" | sed -n "/^${step/./\\.}$/,\$p")
  check_stage "$stage" "${rest[@]}" || { report_failure && exit 1; }
  say "Stage $stage passes."
  step=$(first_not_done)
done
say 'All stages pass: you have written an asyncio.'
