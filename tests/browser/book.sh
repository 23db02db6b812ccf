#!/usr/bin/env bash
# book.sh BUILD-FOLDER SCRATCH: builds the book, as `./stages book` does, and tests it in Debian's Chromium. Exit code 77:
# something that it needs is missing.
set -euo pipefail
build=$1 scratch=$2
source "$(dirname -- "${BASH_SOURCE[0]}")/tools.sh"

echo '--- the book'
mkdir -p book-players
for stage in 1 2 3 4 5 6; do
  ASYNCIO_WATCH=book-players/stage$stage.html ASYNCIO_WATCH_OUTPUT=1 "$build/stage${stage}_demo_watched" >/dev/null
done
"$here/../../book/build.sh" book book-players book-tools

echo '--- in the browser'
BOOK=$PWD/book NODE_MODULES=$PWD/node_modules CHROMIUM=$(command -v chromium) node --test "$here/book_test.mjs"
