#!/usr/bin/env bash
# stages_test.sh PATH-OF-STAGES: its arguments, and what it does where tools are missing. Nothing is built.
set -euo pipefail

stages=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset CXX

fail() {
  printf 'failed: %s\n-- stdout:\n%s\n-- stderr:\n%s\n' "$1" "$(<"$scratch/out")" "$(<"$scratch/err")" >&2
  exit 1
}

# expect EXIT-CODE TEXT COMMAND...: TEXT must be on stderr, or on stdout when the exit code is 0.
expect() {
  local code=$1 text=$2 got=0
  shift 2
  "$@" >"$scratch/out" 2>"$scratch/err" || got=$?
  ((got == code)) || fail "'$*' ended with $got, not $code"
  local where=err
  if ((code == 0)); then where=out; fi
  grep -qF -- "$text" "$scratch/$where" || fail "'$*' did not say '$text'"
}

# A wrong argument: exit code 2, one line on stderr, nothing on stdout.
expect_wrong() {
  expect 2 "$1" "$stages" "${@:2}"
  (($(wc -l <"$scratch/err") == 1)) || fail "'$*': more than one line"
  [[ ! -s $scratch/out ]] || fail "'$*': something on stdout"
}

expect 0 'usage: ./stages' "$stages" help
expect 0 'usage: ./stages' "$stages"
expect_wrong "there is no command 'fly'" fly
expect_wrong "not '7'" run 7
expect_wrong "not '0'" test 0
expect_wrong "not 'three'" bench three
expect_wrong "not ''" build ''
expect_wrong "there is no argument '4'" run 3 4
expect_wrong "there is no argument 'http://x'" run 6 http://x
expect_wrong "there is no argument '3'" compare 3
expect_wrong "there is no argument '--fast'" compare --peers --fast
expect_wrong "not '--peers'" bench --peers
expect_wrong "not '7'" learn 7
expect_wrong "there is no argument '--hint'" learn 1 --hint
expect_wrong "there is no argument 'there'" check 1 here there
expect_wrong "not '1.99'" check 1.99
expect_wrong "not 'theirs'" check 1 --on theirs
expect_wrong "there is no folder $scratch/nothing/by_hand" check "$scratch/nothing"
expect_wrong "there is no argument '--by-hand'" bench 3 --by-hand
expect_wrong "there is no argument '--by-hand'" watch 3 --by-hand
expect_wrong "not '7'" watch 7
expect_wrong "there is no folder '$scratch/by_hand'" compare --mine "$scratch"
expect_wrong "there is no folder '/by_hand'" compare --mine
expect_wrong "there is no argument 'b'" amalgamate a b
expect_wrong "there is no argument '--all'" amalgamate --all
expect_wrong "there is no argument '3'" book 3
expect_wrong "there is no argument 'now'" book --serve now
mkdir -p "$scratch/mine/by_hand"
expect_wrong "no stage in $scratch/mine is complete" compare --mine "$scratch/mine"
expect_wrong "not '--stage-dir'" test --stage-dir "$scratch"
expect_wrong "there is no folder '$scratch/asyncio'" test 1 --stage-dir "$scratch"

# A machine with nothing but the basic tools. apt-get is called; its failure, or its absence, names the packages.
packages='g++ cmake ninja-build libgtest-dev libbenchmark-dev'
mkdir "$scratch/bin"
for tool in bash basename cat dirname env readlink; do
  ln -s "$(type -P "$tool")" "$scratch/bin/$tool"
done
bare() { PATH=$scratch/bin bash "$stages" "$@"; }

expect 1 "please install these Debian packages: $packages" bare run
(($(wc -l <"$scratch/err") == 1)) || fail 'more than one line'

cat >"$scratch/bin/apt-get" <<'END'
#!/usr/bin/env bash
echo "apt-get $*"
exit 100
END
chmod +x "$scratch/bin/apt-get"
if ((EUID == 0)); then
  expect 1 "please install these Debian packages: $packages" bare run
  grep -qF "stages: installing $packages" "$scratch/out" || fail 'did not say what it installs'
  grep -qF 'apt-get -q update' "$scratch/out" || fail 'did not call apt-get'
else
  expect 1 "please install these Debian packages: $packages" bare run # no sudo
  printf '#!/usr/bin/env bash\necho "sudo $*"\nexit 1\n' >"$scratch/bin/sudo"
  chmod +x "$scratch/bin/sudo"
  expect 1 "please install these Debian packages: $packages" bare run
  grep -qF 'sudo env DEBIAN_FRONTEND=noninteractive apt-get -q update' "$scratch/out" || fail 'did not use sudo'
fi

CXX=no-such-compiler expect 1 "there is no compiler 'no-such-compiler'" "$stages" run
