#!/usr/bin/env bash
# anchors_test.sh ROOT: in every *.md that git would take, a link [text](path#anchor) leads to a heading of that page;
# and each term of GLOSSARY.md is in the list at its top. That the pages are there is links_test.sh's business.
set -euo pipefail
cd -- "$1"
failed=0
fail() {
  echo "$1" >&2
  failed=1
}

without_code() { awk '/^[ \t]*```/ { inside = !inside; next } !inside' "$1"; }
# As GitHub makes them of the headings: no markup, no punctuation, lower case, "-" for a space. (ASCII only.)
anchors() {
  without_code "$1" | sed -nE 's/^#+ +//p' |
    LC_ALL=C sed -E 's/\[([^]]*)\]\([^)]*\)/\1/g; s/[^A-Za-z0-9 _-]//g; s/ /-/g' | tr 'A-Z' 'a-z'
}

declare -A known  # the anchors of each page that somebody links into
checked=0
while IFS= read -r page; do
  while IFS= read -r link; do
    target=$(dirname -- "$page")/${link%%#*}
    [[ -n ${link%%#*} ]] || target=$page
    checked=$((checked + 1))
    [[ -n ${known[$target]-} ]] || known[$target]=$'\n'$(anchors "$target")$'\n'
    [[ ${known[$target]} == *$'\n'"${link#*#}"$'\n'* ]] || fail "$page: there is no heading for $link"
  done < <(without_code "$page" | grep -oE '\]\([^() :]*#[^() ]+\)' | sed -E 's/^\]\((.*)\)$/\1/')
done < <(find . -name '*.md' -not -path './build/*' -not -path '*/.*' | sed 's|^\./||' | LC_ALL=C sort)
((checked > 0)) || fail 'no page links to a heading'

while IFS= read -r term; do
  grep -qF -- "](#$term)" GLOSSARY.md || fail "GLOSSARY.md: #$term is not in the list at the top"
done < <(anchors GLOSSARY.md | grep -vx glossary)
exit "$failed"
