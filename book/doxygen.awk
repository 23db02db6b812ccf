# For Doxygen, without a change to the numbers of the lines. Our headers say these things in plainer ways:
#   declaration;  // text                  describes the declaration
#   /// text, above several declarations   describes each of them, up to the next empty line, that has the name of the
#                                          first or whose name stands in the text
#   namespace detail { }                   is no part of the interface, but for the classes in shown_base(); nor is in a
#   // ── for the library ──               class what follows such a line
{ lines[NR] = $0 }

# The name that is declared from line i on.
function name_at(i,    text) {
  while (lines[i] ~ /^ *(template <|requires )/ && lines[i] !~ /[;{]/) ++i
  text = lines[i]
  if (match(text, /operator[^ (]*\(/)) return substr(text, RSTART, RLENGTH - 1)
  sub(/ *(\/\/|=|\{|;).*/, "", text)
  if (text ~ /\(/) sub(/\(.*/, "", text)
  match(text, /[A-Za-z_0-9]*$/)
  return substr(text, RSTART)
}

# A class whose public functions are those of the public classes that derive from it: see reference.py. 0, or its last line.
function shown_base(i,    j) {
  for (j = i; j <= NR && lines[j] ~ /^(\/\/\/|template <)/; ++j) continue
  if (lines[j] !~ /^class (TaskMethods|BasicQueue|QueueBase) /) return 0
  while (j <= NR && lines[j] != "};") ++j
  return j
}

# A short namespace ends with a bare brace.
function end_of_namespace(i,    j, first) {
  for (j = i + 1; j <= NR && lines[j] !~ /^namespace /; ++j) {
    if (lines[j] ~ /^}  \/\/ namespace detail/) return j
    if (!first && lines[j] == "}") first = j
  }
  return first
}

END {
  for (i = 1; i <= NR; ++i) {
    line = lines[i]
    indent = match(line, /[^ ]/)
    if (line ~ /^ *\/\/ ── for the library/) {
      hidden = 1
      print ""
      continue
    }
    if (line ~ /^namespace detail \{/) detail_end = end_of_namespace(i)
    if (i <= detail_end && i > shown_end) shown_end = shown_base(i)
    if (i <= detail_end && i > shown_end) {
      print ""
      continue
    }
    if (hidden) {
      if (line ~ /^( private:|};)/) {
        hidden = 0
      } else {
        line = ""
      }
      print line
      continue
    }
    if (line ~ /^ *\/\/\//) {
      if (!in_comment) text = ""
      at = indent
      in_comment = 1
      ended = 0
      sub(/^ *\/\/\/ ?/, " ", line)
      text = text line
      print lines[i]
      continue
    }
    if (in_comment) first = name_at(i)
    in_comment = 0
    if (line ~ /^ *$/ || line ~ /^ *\/\/ / || line ~ /^ *#/ || indent < at) text = ""

    if (line ~ /[^ ].*[;,}] +\/\/ / && line !~ /\/\/ (NOLINT|──)/) {
      sub(/ +\/\/ /, "  ///< ", line)
      if (indent == at) ended = 1
      print line
      continue
    }
    if (text != "" && ended && indent == at && line !~ /^ *[})]/) {
      name = name_at(i)
      if (name == first || (length(name) > 1 && text ~ ("(^|[^A-Za-z_0-9])" name "[^A-Za-z_0-9]")))
        sub(/[^ ]/, "/**" text " */ &", line)
    }
    print line
    ended = indent == at && line ~ /[;}]( *\/\/.*)?$/
  }
}
