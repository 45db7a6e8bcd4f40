#!/bin/sh
# render.sh TEMPLATE [OUTPUT]: replaces ${VAR} and ${VAR:-default} by the environment's values.
#
# POSIX sh and awk, since the stock Kong image has no Python. Line N of the output is line N of the template, so that
# a line number in Kong's own message is one in the template. Every mistake is reported as FILE:LINE with the
# variable's name, and nothing is written then.
#
# A value cannot change the structure of the YAML around it: inside double or single quotes it is escaped, outside of
# quotes only plain characters are let through. Lines that are comments are copied as they are.
set -eu
umask 077 # the result holds the Redis password

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
  echo "usage: render.sh TEMPLATE [OUTPUT]" >&2
  exit 2
fi
template=$1
output=${2:-}
[ -r "$template" ] || {
  echo "$template: cannot be read" >&2
  exit 1
}

substitute() {
  awk -v file="$template" '
    function refuse(why) {
      printf "%s:%d: %s\n", file, FNR, why > "/dev/stderr"
      refused = 1
    }

    # The quote that is open at the end of a piece of a line, given the one that was open before it.
    function quote_after(text, open,    i, c) {
      for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (open == "\"" && c == "\\") i++
        else if (open == "" && (c == "\"" || c == "\047")) open = c
        else if (c == open) open = ""
      }
      return open
    }

    # Backslashes are doubled by hand: what gsub makes of them in a replacement differs between awks.
    function escaped(value, special, prefix,    i, c, result) {
      result = ""
      for (i = 1; i <= length(value); i++) {
        c = substr(value, i, 1)
        result = result (index(special, c) ? prefix[c] c : c)
      }
      return result
    }

    function inserted(name, value, open) {
      if (value ~ /[[:cntrl:]]/) {
        refuse("the value of " name " has a control character")
        return ""
      }
      if (open == "\"") return escaped(value, "\\\"", double)
      if (open == "\047") return escaped(value, "\047", single)
      if (value !~ /^[A-Za-z0-9_.\/@%+=][A-Za-z0-9_.\/:@%+=-]*$/ || value ~ /:$/)
        refuse("the value of " name " cannot stand outside of quotes (empty, or characters that mean something in YAML)")
      return value
    }

    # Notes the keys of a line of YAML, and refuses one that its mapping has already. Only what stands in blocks is looked at: text of several
    # lines, and what is in brackets over several lines, may look like a key and be none.
    function look_for_keys(line,    at, key, column) {
      sub(/\r$/, "", line)
      match(line, /^ */)
      if (text_in >= 0) {
        if (RLENGTH > text_in || line ~ /^[ \t]*$/) return
        text_in = -1
      }
      if (brackets > 0 || quoted != "") {
        look_for_brackets(line)
        return
      }
      at = RLENGTH + 1
      column = RLENGTH
      if (substr(line, at) ~ /^\t[ \t]*(-[ \t]|[A-Za-z0-9_.\/"\047-]+[ \t]*:([ \t]|$))/)
        refuse("a tab is in front of it, and YAML counts spaces alone")
      while (substr(line, at) ~ /^-([ \t]|$)/) { # an entry of a list: a mapping of its own
        forget_keys(at)
        column = at - 1
        at++
        match(substr(line, at), /^[ \t]*/)
        at += RLENGTH
      }
      if (match(substr(line, at), /^([A-Za-z0-9_.\/-]+|"[^"\\]*"|\047[^\047]*\047)[ \t]*:([ \t]|$)/)) {
        key = substr(line, at, RLENGTH)
        sub(/[ \t]*:[ \t]*$/, "", key)
        gsub(/["\047]/, "", key)
        column = at - 1
        forget_keys(at)
        if ((column, key) in keys) refuse(key " is there twice, and Kong takes the last one alone")
        keys[column, key] = 1
        at += RLENGTH
      }
      line = substr(line, at)
      sub(/^[ \t]*[&!][^ \t]+/, "", line)
      if (line ~ /^[ \t]*[|>][-+0-9]*[ \t]*(#.*)?$/) text_in = column
      else look_for_brackets(line)
    }

    # Those of mappings that are over: further to the right than a column, which is counted from 0.
    function forget_keys(column,    place, parts) {
      for (place in keys) {
        split(place, parts, SUBSEP)
        if (parts[1] + 0 >= column) delete keys[place]
      }
    }

    # How many brackets are open behind a line, and in which quote.
    function look_for_brackets(line,    i, c, before) {
      before = brackets > 0 ? "," : "" # a quote is one at the beginning of a value alone
      for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        if (quoted == "\"" && c == "\\") i++
        else if (quoted != "") {
          if (c == quoted) quoted = ""
        }
        else if ((c == "\"" || c == "\047") && before ~ /^[[{,:]?$/) quoted = c
        else if (c == "#" && (i == 1 || substr(line, i - 1, 1) ~ /[ \t]/)) return
        else if ((c == "[" || c == "{") && (brackets > 0 || before == "")) brackets++
        else if ((c == "]" || c == "}") && brackets > 0) brackets--
        if (c !~ /[ \t]/) before = c
      }
    }

    BEGIN {
      text_in = -1
      double["\\"] = "\\"
      double["\""] = "\\"
      single["\047"] = "\047"
    }

    FNR == 1 { sub(/^\357\273\277/, "") } # a byte order mark
    /^[ \t]*#/ { print; next }

    /^---([ \t]|$)/ {
      forget_keys(0)
      look_for_brackets(substr($0, 4)) # a document in brackets may begin on this line, and none in blocks
    }
    !/^---([ \t]|$)/ { look_for_keys($0) }

    # Kong reads the first document, and leaves out the others without a word.
    /^---([ \t]|$)/ {
      if (begun) refuse("a second YAML document begins here: Kong would leave it out")
      begun = 1
    }
    !/^(---|\.\.\.)([ \t]|$)/ && !/^[ \t]*$/ && !/^%/ {
      if (over) refuse("this stands behind the end of the YAML document: Kong would leave it out")
      begun = 1
      over = 0
    }
    /^\.\.\.([ \t]|$)/ { over = begun = 1 }

    {
      rest = $0
      line = ""
      open = ""
      while ((start = index(rest, "${")) > 0) {
        before = substr(rest, 1, start - 1)
        line = line before
        open = quote_after(before, open)
        rest = substr(rest, start + 2)
        end = index(rest, "}")
        if (end == 0) {
          refuse("a ${ without its }")
          rest = ""
          break
        }
        expression = substr(rest, 1, end - 1)
        rest = substr(rest, end + 1)

        name = expression
        fallback = ""
        has_fallback = (cut = index(expression, ":-")) > 0
        if (has_fallback) {
          name = substr(expression, 1, cut - 1)
          fallback = substr(expression, cut + 2)
        }
        if (name !~ /^[A-Za-z_][A-Za-z0-9_]*$/)
          refuse("${" expression "} is neither ${VAR} nor ${VAR:-default}")
        else if (has_fallback && (!(name in ENVIRON) || ENVIRON[name] == ""))
          line = line inserted(name, fallback, open)
        else if (name in ENVIRON)
          line = line inserted(name, ENVIRON[name], open)
        else
          refuse("the variable " name " is not set")
      }
      print line rest
    }

    END {
      if (!begun) {
        printf "%s: there is nothing in it\n", file > "/dev/stderr"
        refused = 1
      }
      exit refused
    }
  ' "$template"
}

if [ -z "$output" ]; then
  rendered=$(substitute && echo .) || exit 1
  printf '%s' "${rendered%.}"
  exit 0
fi

partial="$output.partial"
if substitute >"$partial"; then
  mv -f "$partial" "$output"
else
  rm -f "$partial"
  exit 1
fi
