#!/usr/bin/env bash
# pkg_config_test.sh README BUILD SCRATCH PROGRAM: the g++ line of the README, as it stands there, compiles the program at
# its top against what `cmake --install` gives, and the program runs. And so once more after the installation was moved.
set -euo pipefail
readme=$1 build=$2 scratch=$3 program=$4
command -v pkg-config >/dev/null || { echo 'Skipped: there is no pkg-config.'; exit 77; }

line=$(grep -m1 '^g++ .*pkg-config' "$readme")
rm -rf "$scratch"
mkdir -p "$scratch"
cp "$program" "$scratch/app.cpp"
cd "$scratch"
cmake --install "$build" --prefix "$scratch/installed" >install.log
for folder in installed moved; do
  [[ -d $folder ]] || mv installed "$folder"
  PKG_CONFIG_PATH=$(dirname "$(find "$scratch/$folder" -name asyncio_stages.pc)")
  export PKG_CONFIG_PATH
  rm -f app
  bash -c "$line"
  [[ $(./app) == $'hello\nworld\n10' ]] || { echo "The program prints something else: $(./app)"; exit 1; }
done
[[ $(pkg-config --modversion asyncio_stages) == $(grep -oP '^  VERSION \K[0-9.]+' "$(dirname "$readme")/CMakeLists.txt") ]]
