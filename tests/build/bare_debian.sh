#!/usr/bin/env bash
# bare_debian.sh 12|13 [COMMAND…]: makes a Debian of that version in which nothing is installed, puts this repository's
# files into it, and runs the README's two commands there, `./stages run` and `./stages test`, or COMMAND. Fails if one
# of them does, or if a compiler warns. By hand, as root, with debootstrap (Debian: debootstrap) and a network; it takes
# minutes to an hour. BARE_DEBIAN (/var/tmp/bare_debian) is where the system is made, and kept for the next time.
set -euo pipefail
version=${1:?12 or 13}
shift
case $version in
  12) suite=bookworm ;;
  13) suite=trixie ;;
  *) echo "12 or 13, not '$version'" >&2; exit 2 ;;
esac
[[ $EUID == 0 ]] && command -v debootstrap >/dev/null || { echo "needs root and debootstrap"; exit 77; }

here=$(cd "$(dirname "$0")/../.." && pwd)
root=${BARE_DEBIAN:-/var/tmp/bare_debian}/$suite
if [[ ! -e $root/etc/debian_version ]]; then
  mkdir -p "$root"
  debootstrap --variant=minbase "$suite" "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$root.log" 2>&1 ||
    { tail "$root.log"; exit 1; }
fi
printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"  # as an installed Debian has, and a container
rm -rf "$root/src"
mkdir "$root/src"
git -C "$here" ls-files -co --exclude-standard -z | tar -C "$here" --null --files-from=- -cf - | tar -xf - -C "$root/src"

mounted=()
trap 'for place in "${mounted[@]}"; do umount "$place"; done' EXIT
mount -t proc proc "$root/proc" && mounted+=("$root/proc")
mount --bind /dev "$root/dev" && mounted+=("$root/dev")

log=$root.output
in_it() { chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -c "cd /src && $1" 2>&1 | tee -a "$log"; }
: >"$log"
if (($#)); then
  in_it "$*"
else
  in_it "./stages run"
  in_it "./stages test"
fi
if grep -q 'warning:' "$log"; then echo "a compiler warned:"; grep 'warning:' "$log" | sort | uniq -c | head; exit 1; fi
echo "Debian $(cat "$root/etc/debian_version"), $(chroot "$root" c++ --version | head -1): passed"
