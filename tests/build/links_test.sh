#!/usr/bin/env bash
# links_test.sh ROOT: what our pages name is there. In every *.md that git would take:
#   [text](path)           the path exists, relative to the page
#   [`Class::name`](path)  and `name` stands in that file
#   `stage1_loop/loop.cpp` in a page at the root: a path in backquotes that begins with one of our folders exists
set -euo pipefail
cd -- "$1"
failed=0
fail() {
  echo "$1" >&2
  failed=1
}

checked=0
while IFS= read -r page; do
  folder=$(dirname -- "$page")
  text=$(awk '/^[ \t]*```/ { inside = !inside; next } !inside' "$page")
  while IFS=$'\t' read -r label target; do
    target=${target%%#*}
    [[ -n $target && $target != *://* && $target != mailto:* ]] || continue
    checked=$((checked + 1))
    if [[ ! -e $folder/$target ]]; then
      fail "$page links to $target, which is not there"
    elif [[ $label =~ ^\`([A-Za-z_][A-Za-z0-9_:]*)(\(\))?\`$ && -f $folder/$target ]]; then
      name=${BASH_REMATCH[1]##*::}
      grep -qwF -- "$name" "$folder/$target" || fail "$page: there is no $name in $target"
    fi
  done < <(grep -oE '\[[^][]*\]\([^() ]*\)' <<<"$text" | sed -E 's/^\[(.*)\]\((.*)\)$/\1\t\2/')
  [[ $folder == . ]] || continue
  while IFS= read -r path; do
    checked=$((checked + 1))
    [[ -e $path ]] || fail "$page names $path, which is not there"
  done < <(grep -oE '`(stage[1-6]_[a-z]+|tests|cmake|examples|\.ci)/[A-Za-z0-9_./-]*`' <<<"$text" | tr -d '`')
done < <(find . -name '*.md' -not -path './build/*' -not -path '*/.*' | sed 's|^\./||' | LC_ALL=C sort)
((checked > 0)) || fail 'no page links to anything'
exit "$failed"
