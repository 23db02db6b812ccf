# Reads a header of by_hand, whose markers `// [step N.S]` say what a learner writes:
#
#   void stop() {  // [step 1.2]     the body of this function
#   stopping_ = true;  // [step 1.2]   this line
#   // [step 1.2]                      the lines from here to `// [end]`
#
# A marked part may stand in a body that is marked itself: a later step adds to what an earlier one has begun.
#
#   blank="1.3 2.1"     prints the header without these steps: a body throws NotImplemented, or where nothing may be thrown
#                       prints a message and exits; a line or block in a marked body is just not there
#   blank="all"         of all steps
#   blank="after 1.3"   of all steps after 1.3
#   part="1.3"          prints what step 1.3 consists of, as it is when the later steps are not written yet
#   titles=FILE         steps.txt
#
# Headers come in the order of the command line; part prints the name of each file that has something.

BEGIN {
  while ((getline line < titles) > 0) {
    if (match(line, /^[1-6]\.[0-9]+ /)) title[substr(line, 1, RLENGTH - 1)] = trim(substr(line, RLENGTH))
  }
  if (part) blank = "after " part
}

function trim(text) { gsub(/^ +| +$/, "", text); return text }
function rank(step,   n) { split(step, n, "."); return n[1] * 100 + n[2] }
function is_blank(step) {
  if (blank == "all") return 1
  if (blank ~ /^after /) return rank(step) > rank(substr(blank, 7))
  return index(" " blank " ", " " step " ") > 0
}
function indent_of(text) { match(text, /^ */); return substr(text, 1, RLENGTH) }
function braces(text,   opened, closed) { sub(/\/\/.*/, "", text); opened = gsub(/\{/, "", text); closed = gsub(/\}/, "", text); return opened - closed }

# emit TEXT STEP: as it is, or for `part`, if it belongs to the step. Its own marked functions are shown whole; what it
# adds to others is shown with the line that opens them.
function emit(text, step) {
  if (!part) { print text; return }
  if (step != part) return
  if (shown_file != FILENAME) { print (shown_file ? "\n" : "") "// by_hand/" base(FILENAME); shown_file = FILENAME }
  if (body && body != part && shown_body != body_line) { print opening; print indent_of(opening) "  // …"; shown_body = body_line }
  sub(/ *\/\/ \[(step [0-9.]+|end)\]/, "", text)
  if (text !~ /^ *$/) print text
}
function base(path) { sub(/.*\//, "", path); return path }
function call(step, text) {
  return (text ~ /noexcept|~[A-Z]/ ? "not_implemented" : "throw NotImplemented") "(\"step " step ": " title[step] "\");"
}

{
  step = ""
  if (match($0, /\/\/ \[step [1-6]\.[0-9]+\]/)) step = substr($0, RSTART + 9, RLENGTH - 10)
}

# Inside a body that is not printed: to its closing brace.
hidden {
  depth += braces($0)
  if (step && rank(step) > rank(hidden)) later_steps[rank(step)] = step
  if (depth <= 0) {
    later = ""
    for (n = 100; n < 700; ++n) if (n in later_steps) later = later (later ? ", " : "") later_steps[n]
    if (later && !part) print indent_of($0) "  // Later steps add to this: " later "."
    split("", later_steps)
    hidden = ""
    emit($0, "")
  }
  next
}

# Inside a block.
block && /^ *\/\/ \[end\]/ { if (!block_blank || part) emit(block_blank ? "" : $0, block); block = ""; next }
block { if (!block_blank) emit($0, block); if (body) body_depth += braces($0); next }

# A block begins.
step && /^ *\/\/ \[step/ {
  block = step; block_blank = is_blank(step)
  if (!block_blank) emit($0, step)
  else if (!body && !part) print $0 "\n" indent_of($0) call(step, last)
  next
}

# A function begins. One inside a marked function is that function's business.
step && /\{ *\/\/ \[step/ && !body {
  if (is_blank(step)) {
    emit($0, step)
    if (!part) print indent_of($0) "  " call(step, $0)
    hidden = step; depth = braces($0)
    next
  }
  body = step; body_depth = braces($0); opening = $0; body_line = NR
  emit($0, step)
  next
}

# A line.
step {
  if (body) body_depth += braces($0)
  if (!is_blank(step)) emit($0, step)
  else if (!body && !part) {
    opening_brace = match($0, /\{ .*\} *\/\/ \[step/)
    if (opening_brace) {  # void stop() { stopping_ = true; }  // [step 1.2]
      print substr($0, 1, opening_brace) "  // [step " step "]"
      print indent_of($0) "  " call(step, $0)
      print indent_of($0) "}"
    } else {
      print indent_of($0) call(step, $0)
    }
  }
  next
}

# The skeleton needs the definition.
/^#include/ && !included[FILENAME] && blank && !part { print "#include <by_hand/not_implemented.h>"; included[FILENAME] = 1 }

{ emit($0, body) }
body { body_depth += braces($0); if (body_depth <= 0) body = "" }
{ last = $0 }
