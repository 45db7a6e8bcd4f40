# locate.awk REASON FILE: Kong's reason for refusing a declarative file, or what failed in its Lua, with the lines of the file.
#
# Kong says where by a path of keys and entries ("in 'services': - in entry 1 of 'services': in 'url': ..."), since its YAML parser
# keeps no lines. This follows the path through the file by its indentation: block style, as the template is written. What is inside
# braces or brackets on a line is found with that line, what stands behind an alias (*name) at its anchor (&name).

NR == FNR {
  if (NF) reason[++reasons] = $0
  next
}

{
  lines = FNR
  text[FNR] = $0
  if ($0 ~ /^[ \t]*(#|$)/) {
    column[FNR] = -1
    next
  }
  match($0, /^ */)
  first[FNR] = RLENGTH
  rest = substr($0, RLENGTH + 1)
  at = RLENGTH
  while (match(rest, /^- +/)) {
    dashes[FNR] = dashes[FNR] at ","
    at += RLENGTH
    rest = substr(rest, RLENGTH + 1)
  }
  if (rest ~ /^&[^ ]+ *$/) rest = "" # an anchor alone: its keys begin on the next line, in the column after the dash
  column[FNR] = at
  content[FNR] = rest
}

# The last line that belongs to what begins on line i in column c.
function last(i, c,    j, end) {
  end = i
  for (j = i + 1; j <= lines; j++) {
    if (column[j] < 0) continue
    if (first[j] < c || (first[j] == c && !(is_key[i, c] && index("," dashes[j], "," c ",")))) break
    end = j
  }
  return end
}

# If the value on the line is an alias, the search goes on at its anchor.
function follow_alias(    name, j) {
  if (match(content[here], /(^|[ :])\*[^ ,\]}]+ *$/) == 0) return
  name = content[here]
  sub(/^.*\*/, "", name)
  sub(/ *$/, "", name)
  for (j = 1; j <= lines; j++)
    if (column[j] >= 0 && text[j] ~ ("&" name "( |$)")) {
      here = j
      from = column[j]
      to = last(j, (j, from) in is_key ? from : first[j])
      return
    }
}

# Moves to the key below the present place; false if it is not found.
function to_key(key,    j, c) {
  c = -1
  for (j = here; j <= to; j++) {
    if (column[j] < 0 || (j == here && !entry)) continue
    if (content[j] == "") continue
    if (c < 0) c = column[j]
    if (column[j] != c) continue
    if (index(content[j], key ":") == 1 || index(content[j], "\"" key "\":") == 1 || index(content[j], "'" key "':") == 1) {
      here = j
      is_key[j, c] = 1
      to = last(j, c)
      entry = 0
      follow_alias()
      return 1
    }
  }
  return 0
}

# Moves to the n-th entry of the list at the present place.
function to_entry(n,    j, c, count) {
  c = -1
  count = 0
  for (j = here + 1; j <= to; j++) {
    if (dashes[j] == "") continue
    if (c < 0) c = first[j]
    if (first[j] != c) continue
    if (++count == n) {
      here = j
      to = last(j, c)
      entry = 1
      follow_alias()
      return 1
    }
  }
  return 0
}

# The line of what failed in Lua, which Kong gives by the beginning of its text and the line in that: [string "local function f()..."]:12: ...
# Else `known`. What stands after the message in a line of nginx' log is cut off `said`.
function in_lua(known,    begins, number, j, line) {
  if (!match(said, /\[string ".*"\]:[0-9]+: /)) return known
  begins = substr(said, RSTART + 9, RLENGTH - 9)
  said = substr(said, RSTART + RLENGTH)
  sub(/, client: .*/, "", said)
  number = begins
  sub(/^.*"\]:/, "", number)
  sub(/"\]:[0-9]+: $/, "", begins)
  sub(/\.\.\.$/, "", begins)
  for (j = 1; j <= lines; j++) {
    line = text[j]
    sub(/^[ \t]*/, "", line)
    if (index(line, begins) == 1) return j + number - 1
  }
  return known
}

# Of two that are named alike Kong gives the place in a list of its own making: the last that bears the name.
function named_last(    name, j, found) {
  if (!match(said, /with name set to '[^']*' already declared/)) return 1
  name = substr(said, RSTART + 18)
  sub(/'.*/, "", name)
  found = 1
  for (j = 1; j <= lines; j++)
    if (column[j] >= 0 && content[j] ~ /^name:/ && content[j] ~ ("^name: *[\"']?" name "[\"']? *$")) found = j
  return found
}

function locate(depth,    k) {
  here = 1
  to = lines
  entry = 1
  if (!to_key(step[1])) return named_last()
  for (k = 2; k <= depth; k++)
    if (!(step[k] ~ /^[0-9]+$/ ? to_entry(step[k] + 0) : to_key(step[k]))) break
  return here
}

END {
  for (r = 1; r <= reasons; r++) {
    line = reason[r]
    sub(/^in 'error': /, "", line)
    if (match(line, /^failed parsing declarative configuration: [0-9]+:[0-9]+: /)) {
      where = substr(line, 43)
      sub(/:.*/, "", where)
      print ENVIRON["TEMPLATE"] ":" where ": " substr(line, RLENGTH + 1)
      continue
    }
    if (!match(line, /^ *(- )?in (entry [0-9]+ of )?'[^']*': ?/)) {
      said = line
      place = in_lua(0)
      print ENVIRON["TEMPLATE"] (place ? ":" place : "") ": " said
      continue
    }
    said = substr(line, RLENGTH + 1)
    head = substr(line, 1, RLENGTH)
    match(head, /^ */)
    depth = RLENGTH / 2 + 1
    if (match(head, /entry [0-9]+/)) step[depth] = substr(head, RSTART + 6, RLENGTH - 6)
    else {
      match(head, /'[^']*'/)
      step[depth] = substr(head, RSTART + 1, RLENGTH - 2)
    }
    if (said == "") continue
    path = ""
    for (k = 1; k <= depth; k++) path = path (k == 1 ? "" : step[k] ~ /^[0-9]+$/ ? " " : ": ") step[k]
    place = in_lua(locate(depth))
    print ENVIRON["TEMPLATE"] ":" place ": " path ": " said
  }
}
