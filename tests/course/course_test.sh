#!/usr/bin/env bash
# course_test.sh PATH-OF-STAGES: ./stages learn and ./stages check, as a learner uses them.
set -euo pipefail

stages=$1
by_hand=$(dirname "$stages")/stage1_loop/by_hand/loop.h
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mine=$scratch/mine

fail() {
  printf 'failed: %s\n-- it said:\n%s\n' "$1" "$(<"$scratch/out")" >&2
  exit 1
}

# expect EXIT-CODE TEXT COMMAND...: TEXT is in what the command writes.
expect() {
  local code=$1 text=$2 got=0
  shift 2
  "$@" >"$scratch/out" 2>&1 || got=$?
  ((got == code)) || fail "'$*' ended with $got, not $code"
  grep -qF -- "$text" "$scratch/out" || fail "'$*' did not say '$text'"
}
also() { grep -qF -- "$1" "$scratch/out" || fail "it did not say '$1'"; }

# learn lays out, and overwrites nothing.
expect 2 'there is no folder' "$stages" check "$mine"
expect 0 'has the skeleton of stages 1 to 1' "$stages" learn 1 "$mine"
[[ -f $mine/AGENTS.md && -f $mine/by_hand/loop.h && ! -f $mine/by_hand/future.h ]] || fail 'not these files'
grep -qF 'throw NotImplemented("step 1.1: ' "$mine/by_hand/loop.h" || fail 'no NotImplemented in loop.h'
echo '// mine' >>"$mine/by_hand/loop.h"
expect 0 'kept as they are: by_hand/loop.h' "$stages" learn 2 "$mine"
tail -n 1 "$mine/by_hand/loop.h" | grep -qx '// mine' || fail 'learn has overwritten loop.h'
[[ -f $mine/by_hand/future.h ]] || fail 'no future.h'

# A skeleton says what to write first; hints come one by one.
expect 1 'Not written yet: step 1.1' "$stages" check "$mine"
also 'stage 1  ✗ · · · · · ·'
also 'stage1_loop/README.md'
expect 0 'hint 1 of 4' "$stages" check "$mine" --hint
expect 0 'hint 2 of 4' "$stages" check --hint "$mine"
expect 0 'hint 3 of 4' "$stages" check 1.1 "$mine" --hint
expect 0 'run_once()' "$stages" check "$mine" --hint
also 'hint 4 of 4'

# The places: what is not written yet; once all is, what is written; and what the step adds to.
line_of() { grep -nF -- "$1" "$mine/by_hand/loop.h" | head -n 1 | cut -d: -f1; }
unwritten=$(grep -nF 'NotImplemented("step 1.1: ' "$mine/by_hand/loop.h" | cut -d: -f1 | tr '\n' ' ')
read -r in_call_soon in_run_once <<<"$unwritten"
expect 1 "to write:    $mine/by_hand/loop.h:$in_call_soon, $mine/by_hand/loop.h:$in_run_once" "$stages" check "$mine"
sed -i "${in_call_soon}s/throw .*/return ready_.emplace_back(std::move(callback));/" "$mine/by_hand/loop.h"
expect 1 "to write:    $mine/by_hand/loop.h:$in_run_once" "$stages" check "$mine"
sed -i "${in_run_once}s/throw .*/return;/" "$mine/by_hand/loop.h"
expect 1 "your code:   $mine/by_hand/loop.h:$(line_of 'Handle call_soon(')" "$stages" check "$mine"
expect 1 "it adds to:  $mine/by_hand/loop.h:$(line_of 'void run_once()')" "$stages" check 1.6 "$mine"

# Stage 2 on ours: the learner's own stage 1 does not pass.
expect 1 'Not written yet: step 2.1' "$stages" check 2.1 "$mine"
also 'Your stage 1 does not pass (step 1.1), so stage 2 is checked on ours below it.'
also "./stages check 1.1 $mine shows why."

# A right solution, up to the second step; then the next one is named.
whole=$(sed -n '/void run_once/,/^  }/p' "$by_hand")
[[ -n $whole ]] || fail 'no run_once() in by_hand'
cp "$by_hand" "$mine/by_hand/loop.h"
expect 0 'Step 1.1 passes' "$stages" check 1.1 "$mine"
also 'stage 1  ✓ · · · · · ·'
expect 0 'Step 1.3 passes' "$stages" check 1.3 "$mine"
also 'stage 1  ✓ · ✓ · · · ·'

# change SED-SCRIPT: by_hand's loop.h with a change in it.
change() {
  sed -E "$1" "$by_hand" >"$mine/by_hand/loop.h"
  ! cmp -s "$by_hand" "$mine/by_hand/loop.h" || fail "the change '$1' changes nothing"
}

# What goes wrong in other ways than by a wrong value.
change 's/void stop\(\) \{/void stop() { oops;/'
expect 1 'Step 1.1 does not compile' "$stages" check 1.1 "$mine"
also "by_hand/loop.h:$(grep -n 'oops' "$mine/by_hand/loop.h" | cut -d: -f1)"
change 's/(void run_once\(\) \{).*/\1 for (volatile bool on = true; on;) continue;/'
expect 1 'it was still computing after seconds' "$stages" check 1.1 "$mine"
change 's/(void run_once\(\) \{).*/\1 *static_cast<volatile int*>(nullptr) = 1;/'
expect 1 'the program crashed' "$stages" check 1.1 "$mine"
expect 1 'What the program wrote' "$stages" check 1.1 "$mine" --details
if grep -qF 'runtime error' "$scratch/out"; then
  where="$mine/by_hand/loop.h:$(line_of 'void run_once()')"
  if grep -qF 'run_once() (' "$scratch/out"; then also "$where"; else also "run_once() $where"; fi  # ( : g++ 14 knows no line
fi
change 's/(void run_once\(\) \{).*/\1 throw std::runtime_error("oops");/'
expect 1 'std::runtime_error("oops") was thrown.' "$stages" check 1.1 "$mine"

# Ours below: the broken stage 1 does not matter.
expect 1 'Not written yet: step 2.1' "$stages" check 2.1 "$mine" --on ours
