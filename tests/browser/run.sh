#!/usr/bin/env bash
# run.sh BUILD-FOLDER SCRATCH: the player in Debian's Chromium, on the pages of all demos; its scripts, formatted and
# checked; and the pictures of the lessons, which are what it draws now. Exit code 77: something that it needs is missing.
set -euo pipefail
build=$1 scratch=$2
source "$(dirname -- "${BASH_SOURCE[0]}")/tools.sh"
player=$here/../../stage1_loop/observe/player

echo '--- format and types'
node_modules/.bin/prettier --config "$here/package.json" --check "$player" "$here"/../../book/assets/book.* "$here"/*.mjs "$here"/tsconfig.json
node_modules/.bin/tsc --project "$here/tsconfig.json"

echo '--- pages'
rm -rf pages
mkdir pages
for stage in 1 2 3 4 5 6; do
  ASYNCIO_WATCH=pages/stage$stage.html ASYNCIO_WATCH_OUTPUT=1 "$build/stage${stage}_demo_watched" >"pages/stage$stage.out"
done
"$build/browser_state" state pages/state.html pages/state.json
"$build/browser_state" crash pages/crash.html && exit 1 || true # it aborts
"$build/browser_state" full pages/full.html

echo '--- the player'
NODE_MODULES=$PWD/node_modules WATCHED=$PWD/pages CHROMIUM=$(command -v chromium) node --test "$here/player_test.mjs"

echo '--- the pictures of the lessons'
node "$here/pictures.mjs" "$build" --check
