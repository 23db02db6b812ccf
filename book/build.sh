#!/usr/bin/env bash
# build.sh SITE PLAYERS SCRATCH: the book, of the Markdown and the headers of the repository. PLAYERS is the folder with
# the pages of `./stages watch`. Exit code 77: something that it needs is missing; the last line says what.
set -euo pipefail
site=$(realpath -m -- "$1") players=$(realpath -m -- "$2") scratch=$(realpath -m -- "$3")
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

skip() {
  echo "skipped: $1"
  exit 77
}
for tool in mkdocs doxygen python3 npm; do
  command -v "$tool" >/dev/null || skip "$tool is not installed (Debian: mkdocs-material python3-markdown-it doxygen npm)"
done
/usr/bin/python3 -c 'import markdown_it' 2>/dev/null || skip 'python3-markdown-it is not installed'
[[ -d /usr/share/mkdocs/themes/material ]] || skip 'mkdocs-material is not installed'

# Two scripts for the browser, of which Debian has no package: Mermaid draws the diagrams; the other makes search work
# without a server.
mkdir -p "$scratch"
fetch() { # fetch NAME VERSION SHA512 FILE TO
  local archive=$scratch/$1-$2.tgz
  intact() { [[ -f $archive && $(openssl dgst -sha512 -binary "$archive" | base64 -w 0) == "$1" ]]; }
  if ! intact "$3"; then # it is not there, or a run that was killed has left a part of it
    rm -f "$archive"
    (cd "$scratch" && timeout 300 npm pack --silent "$1@$2") >"$scratch/npm.log" 2>&1 ||
      skip "npm cannot fetch $1: see $scratch/npm.log"
  fi
  if ! intact "$3"; then
    rm -f "$archive"
    echo "book: $1 $2 is not what it was" >&2
    exit 1
  fi
  tar -xzOf "$archive" "package/$4" >"$5"
}
fetch mermaid 11.9.0 YdPXn9slEwO0omQfQIsW6vS84weVQftIyyTGAZCwM//MGhPzL1+l6vO6bkf0wnP4tHigH1alZ5Ooy3HXI2gOag== \
  dist/mermaid.min.js "$scratch/mermaid.min.js"
fetch iframe-worker 1.0.4 roeaaI+Lg1LJNfgpCjoRe/+WzEjy9+Z08LoEvu85MCPbBjwm+qXz8Ag5U05lHa6V1CysZyGzE0SOkAtSUA5q7Q== \
  shim/index.js "$scratch/iframe-worker.min.js"

book/doxygen.sh "$scratch/doxygen"
PYTHONDONTWRITEBYTECODE=1 BOOK_SITE=$site BOOK_PLAYERS=$players BOOK_XML=$scratch/doxygen/xml mkdocs --quiet build --clean --config-file book/mkdocs.yml
rm -f -- "$site"/sitemap.xml* "$site/404.html" # for a server with an address
cp -- "$scratch"/{mermaid,iframe-worker}.min.js "$site/"
