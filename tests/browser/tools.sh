# What the tests in a browser need, for run.sh and book.sh, which set `scratch`: goes into that folder, in which
# node_modules is then. Exit code 77: something is missing.
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

skip() {
  echo "skipped: $1"
  exit 77
}

for tool in node npm chromium; do
  command -v "$tool" >/dev/null || skip "$tool is not installed (Debian: chromium nodejs npm)"
done
(($(node -p 'process.versions.node.split(".")[0]') >= 18)) || skip 'node is older than 18'

# The packages stand in the lock file, with their checksums.
mkdir -p "$scratch"
cd -- "$scratch"
if ! cmp -s "$here/package-lock.json" installed-lock.json; then
  cp "$here/package.json" "$here/package-lock.json" .
  timeout 300 npm ci --no-audit --no-fund --ignore-scripts >npm.log 2>&1 || skip "npm cannot fetch the packages: see $scratch/npm.log"
  cp "$here/package-lock.json" installed-lock.json
fi
