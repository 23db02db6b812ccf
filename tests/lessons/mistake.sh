#!/usr/bin/env bash
# mistake.sh FILE 'g++ 12' COMPILER OPTIONS...: what the head of FILE says of this compiler is what the compiler says:
#   // g++ 12:   error: …         every error and warning, in order; "nothing" if there is none; " …" at the end: and so on
#   //           …                it goes on in a comment that is indented by eight columns, at least
#   // g++ 12:   and more         errors and warnings follow; those before are the first ones
#   // g++ 12 prints: …           the program is linked and run, and prints this line
#   // AddressSanitizer: …        the program is linked with AddressSanitizer and run, and is stopped with this word
# Exit code 77, "skipped", if the file says nothing of this compiler.
set -euo pipefail
file=$1 name=$2
shift 2
export LC_ALL=C
expected=$(awk -v name="// $name: " '
  index($0, name) == 1 { text = substr($0, length(name) + 1); sub(/^ +/, "", text); line[++count] = text; inside = 1; next }
  inside && /^\/\/        / { sub(/^\/\/ +/, ""); line[count] = line[count] " " $0; next }
  { inside = 0 }
  END { for (i = 1; i <= count; ++i) print line[i] }' "$file")
[[ -n $expected ]] || { echo "no messages of $name are recorded"; exit 77; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$@" -Wall -Wextra -Wpedantic -c "$file" -o "$scratch/object" 2>"$scratch/all" || true
actual=$(sed -nE 's/^[^ ]+:[0-9]+:[0-9]+: ((fatal error|error|warning): .*)/\1/p' "$scratch/all" |
  sed -E 's,(lambda at )[^ ]*/([^ /:]+):[0-9]+:[0-9]+,\1\2,g')

failed=0
mapfile -t wanted <<<"$expected"
mapfile -t said <<<"${actual:-nothing}"
if [[ ${wanted[-1]} == 'and more' ]]; then
  unset 'wanted[-1]'
  ((${#said[@]} > ${#wanted[@]})) || failed=1
  said=("${said[@]:0:${#wanted[@]}}")
fi
((${#wanted[@]} == ${#said[@]})) || failed=1
for i in "${!wanted[@]}"; do
  case ${wanted[i]} in
    *' …') [[ ${said[i]-} == "${wanted[i]% …}"* ]] || failed=1 ;;
    *) [[ ${said[i]-} == "${wanted[i]}" ]] || failed=1 ;;
  esac
done
if ((failed)); then printf '%s says\n%s\nand not\n%s\n' "$name" "${actual:-nothing}" "$expected"; fi

printed=$(sed -nE "s|^// ${name//+/\\+} prints: +||p" "$file")
if [[ -n $printed ]]; then
  "$@" "$file" -o "$scratch/program"
  output=$("$scratch/program")
  [[ $output == "$printed" ]] || { printf 'It prints\n%s\nand not\n%s\n' "$output" "$printed"; failed=1; }
fi

fault=$(sed -nE 's|^// AddressSanitizer: +||p' "$file")
if [[ -n $fault ]] && "$@" -fsanitize=address -g "$file" -o "$scratch/program" 2>/dev/null; then  # if it is installed
  fixed=()  # where kernels choose addresses as freely as they can, the library of g++ 12 finds no room, sometimes
  if setarch -R true 2>/dev/null; then fixed=(setarch -R); fi
  if "${fixed[@]}" "$scratch/program" >"$scratch/report" 2>&1; then echo "AddressSanitizer let it pass"; failed=1; fi
  grep -q "AddressSanitizer: $fault" "$scratch/report" || { grep -m1 SUMMARY "$scratch/report"; failed=1; }
fi
exit $failed
