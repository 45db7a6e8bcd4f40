# reason.awk: the "fields" of an answer 400 of POST /config, in the form in which Kong tells them at its start (see locate.awk):
#   in 'services':
#     - in entry 1 of 'services':
#       in 'url': expected a string

{ json = json $0 "\n" }

function skip() {
  while (substr(json, at, 1) ~ /[ \t\r\n]/) at++
}

function string(    c, result) {
  at++ # the opening quote
  result = ""
  while ((c = substr(json, at, 1)) != "\"" && c != "") {
    if (c == "\\") {
      c = substr(json, ++at, 1)
      if (c == "n") c = "\n"
      else if (c == "t") c = "\t"
      else if (c == "u") {
        at += 4
        c = "?"
      }
    }
    result = result c
    at++
  }
  at++
  return result
}

# Reads the value at `at`; said of it is what is wrong, below `head`, with `list` as the name of the list that it is an entry of.
function value(depth, head, list,    c, n, key, indent) {
  skip()
  indent = sprintf("%" (2 * depth) "s", "")
  c = substr(json, at, 1)
  if (c == "\"") {
    key = string()
    gsub(/\n/, " ", key)
    if (head != "") print substr(indent, 3) head ": " key
    return
  }
  if (c != "{" && c != "[") {
    match(substr(json, at), /^[^],}]*/)
    at += RLENGTH
    return
  }
  if (head != "") print substr(indent, 3) head ":"
  at++
  n = 0
  while (1) {
    skip()
    if (substr(json, at, 1) ~ /[]}]/ || at > length(json)) break
    if (substr(json, at, 1) == ",") {
      at++
      continue
    }
    n++
    key = n
    if (c == "{") {
      key = string()
      skip()
      at++ # the colon
    }
    if (c == "[" || key ~ /^[0-9]+$/) value(depth + 1, "- in entry " key " of '" list "'", list)
    else value(depth + 1, "in '" key "'", key)
  }
  at++
}

END {
  at = index(json, "\"fields\":")
  if (at == 0) {
    print json
    exit
  }
  at += 9
  value(0, "", "")
}
