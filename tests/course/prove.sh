#!/usr/bin/env bash
# prove.sh [right | wrong] [quick | STEP | STAGE | FILE.patch]...: proves the steps of the course.
#
#   right   by_hand passes each step; so it does when nothing of the later steps is written yet; and with only this step
#   wrong   each wrong/STEP-name.patch, a plausible wrong solution, is refused at its step, with a sentence that contains
#           the first line of the file
#
# Without either, both. `quick` takes the steps and patches of one stage, and the first step of the others. Which stage
# that is depends on what there is to prove, so that the same files are always proved in the same way. It prints what does
# not hold, and a count.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
source tests/course/lib.sh
read -ra compiler <<<"${CXX:-g++}"
compiler_flags

kinds=(right wrong)
if [[ ${1:-} == right || ${1:-} == wrong ]]; then
  kinds=("$1")
  shift
fi
if [[ " ${kinds[*]} " == *' wrong '* ]] && ! command -v git >/dev/null; then  # it applies the patches
  echo 'skipped: git is not installed'
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
build_check_object "$scratch/check.o"

# --- The jobs: "KIND STEP [PATCH]".

jobs=()
# add_jobs PATTERN: of the steps that match it.
add_jobs() {
  local step patch kind
  for step in "${steps[@]}"; do
    [[ $step == $1 ]] || continue
    for kind in "${kinds[@]}"; do
      if [[ $kind == right ]]; then
        jobs+=("whole $step" "so_far $step" "missing $step" "skeleton $step")
      else
        for patch in "$course/wrong/$step"-*.patch; do
          if [[ -f $patch ]]; then jobs+=("wrong $step $patch"); fi
        done
      fi
    done
  done
}
if (($# == 0)); then add_jobs '*'; fi
for argument; do
  case $argument in
    quick)
      checksum=$(cat stage*_*/by_hand/*.h "$course"/*.* "$course"/stage*/*.cpp "$course"/wrong/* | cksum | cut -d' ' -f1)
      whole=$((checksum % 6 + 1))
      add_jobs "$whole.*"
      for stage in 1 2 3 4 5 6; do if ((stage != whole)); then jobs+=("so_far $stage.1"); fi; done
      ;;
    *.patch) jobs+=("wrong $(basename "$argument" | cut -d- -f1) $argument") ;;
    [1-6]) add_jobs "$argument.*" ;;
    *) add_jobs "$argument" ;;
  esac
done
if ((${#jobs[@]} == 0)); then
  echo "prove.sh: nothing to prove in: $*" >&2
  exit 2
fi

# --- A job.

# tree DIR STEPS: by_hand without these steps, as blank() takes them; "" for all of it. Sets `roots`.
tree() {
  local header
  roots=(-I "$1/given")
  mkdir -p "$1/given/by_hand"
  cp "$course/skeleton/not_implemented.h" "$1/given/by_hand"
  for header in stage*_*/by_hand/*.h; do
    mkdir -p "$1/${header%/*}"
    if [[ -n $2 ]]; then blank "$2" "$header" >"$1/$header"; else cp "$header" "$1/$header"; fi
  done
  for header in "$1"/stage*_*; do roots+=(-I "$header"); done
}

# verdict_of STEP DIR: its sentence, and its exit code.
verdict_of() {
  if build_step "$1" "$2/program" "${roots[@]}"; then
    run_step "$1" "$2/program"
  else
    grep -m1 -E 'error|undefined' "$2/program.log"
    return 9
  fi
}

does_not_hold() {
  printf '%s: %s\n   %s\n' "$1" "$2" "$3"
  return 1
}

do_job() {
  local kind=$1 step=$2 patch=${3:-} place code=0 sentence
  place=$(mktemp -d "$scratch/job.XXXXXX")
  case $kind in
    whole)
      tree "$place" ''
      sentence=$(verdict_of "$step" "$place") || does_not_hold "$step" 'by_hand does not pass' "$sentence"
      ;;
    so_far)
      tree "$place" "after $step"
      sentence=$(verdict_of "$step" "$place") || does_not_hold "$step" 'it does not pass before later steps are written' "$sentence"
      ;;
    missing)
      tree "$place" "$step"
      sentence=$(verdict_of "$step" "$place") || code=$?
      ((code == 1 || code == 2)) || does_not_hold "$step" 'it does not fail when it is not written' "exit code $code: $sentence"
      ;;
    skeleton)
      tree "$place" all
      sentence=$(verdict_of "$step" "$place") || code=$?
      ((code == 2)) || does_not_hold "$step" 'on the skeleton it does not say what is not written' "exit code $code: $sentence"
      ;;
    wrong)
      tree "$place" ''
      # Within another repository, git would pass over what is not below its root.
      (cd "$place" && GIT_CEILING_DIRECTORIES=$scratch git apply -q -C1 "$OLDPWD/$patch") || does_not_hold "$patch" 'it does not apply to by_hand' ''
      sentence=$(verdict_of "$step" "$place") || code=$?
      ((code == 1 || code == 2)) || does_not_hold "$patch" 'it is not refused' "exit code $code: $sentence"
      grep -qF -- "$(head -n 1 "$patch")" <<<"$sentence" ||
        does_not_hold "$patch" "the sentence is not \"$(head -n 1 "$patch")\"" "$sentence"
      if [[ -n ${VERBOSE:-} ]]; then printf '%s\n   %s\n' "$patch" "$sentence"; fi
      ;;
  esac
  rm -rf "$place"
}

# --- All of them, as many at a time as there are processors.

parallel=${PARALLEL:-$(nproc)}
running=0 failed=0
for job in "${jobs[@]}"; do
  if ((running >= parallel)); then
    wait -n || failed=$((failed + 1))
    running=$((running - 1))
  fi
  # shellcheck disable=SC2086
  do_job $job &
  running=$((running + 1))
done
while ((running-- > 0)); do wait -n || failed=$((failed + 1)); done
echo "course: $((${#jobs[@]} - failed)) of ${#jobs[@]} hold"
((failed == 0))
