# shellcheck shell=sh
# Shows what Kong writes to standard error. Sourced after configuration.sh.
#
# Kong's reason for refusing a file is a message of several lines above a Lua stack trace, with a path and no line: here it becomes
# lines of FILE:LINE: REASON, also left in $refusal. A loop of the shell's own, since awks read a pipe in blocks.
#
# Over some mistakes the code of Kong that reads the file breaks off, with an error of Lua and no reason: a name in the place of an entry
# (`plugins: [token-validator]`), an empty entry, a reference to what is not there. Its other code breaks off over settings, and says what it is.
#
# nginx writes the request's line and the upstream's address with their queries, in which tokens and e-mail addresses may be: those are cut. What
# stands behind `, client: ` is a client's to choose (its Referer, too), and never taken for what Kong says.
# shellcheck disable=SC2154 # variables of configuration.sh
KONG_ENDED="Kong has ended: that was its last line" # told to explain through the same stream, answered by $refusal.heard

explain() {
  trap '' INT TERM QUIT HUP # ends with the stream, after Kong
  in_trace=false
  in_refusal=false
  while IFS= read -r line || [ -n "$line" ]; do
    said=${line%%, client: *}
    case $said in
      "stack traceback:"*)
        if $in_refusal; then tell_refusal; fi
        in_trace=true
        continue
        ;;
      "	"*)
        if $in_trace; then continue; fi
        ;;
      "$KONG_ENDED")
        if $in_refusal; then tell_refusal; fi
        : >"$refusal.heard"
        continue
        ;;
      *": error parsing declarative config file "*)
        in_refusal=true
        : >"$refusal.raw"
        continue
        ;;
      [0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]\ * | nginx:*)
        if $in_refusal; then tell_refusal; fi
        case $said in
          *"declarative reconfigure failed"*) printf '%s\n' "$said" >"$refusal" ;;
          *"init_by_lua error: "*) tell_breakdown ;;
          *"[error]"*'[string "'*) if [ ! -s "$failure" ]; then printf '%s\n' "[string \"${said#*\[string \"}" >"$failure"; fi ;;
        esac
        ;;
      "failed parsing declarative configuration: "*)
        if $in_refusal; then
          printf '%s\n' "$line" >>"$refusal.raw"
          tell_refusal
          continue
        fi
        ;;
    esac
    in_trace=false
    if $in_refusal; then
      printf '%s\n' "$line" >>"$refusal.raw"
    elif [ -n "$line" ]; then
      without_queries
      printf '%s\n' "$line"
    fi
  done
  if $in_refusal; then tell_refusal; fi
}

without_queries() { # of $line: what stands between a question mark and the next space or quote, behind what nginx has to say
  case $line in *", client: "*\?*) ;; *) return ;; esac
  shown=${line%%, client: *}
  left=${line#"$shown"}
  while :; do
    case $left in *\?*) ;; *) break ;; esac
    shown="$shown${left%%\?*}?..."
    left=${left#*\?}
    left=${left#"${left%%[ \"]*}"}
  done
  line=$shown$left
}

tell_breakdown() {
  place=${said##*init_by_lua error: }
  case ${place%%:*} in */kong/db/schema/* | */kong/db/declarative/*) ;; *) return ;; esac
  printf 'Kong breaks off over %s and does not say where: %s\n' "$template" "$place" >"$refusal.partial"
  cmp -s "$refusal.partial" "$refusal" || cat "$refusal.partial" # nginx says it twice at a start
  mv -f "$refusal.partial" "$refusal"
}

tell_refusal() {
  in_refusal=false
  located "$refusal.raw" "$KONG_DECLARATIVE_CONFIG" >"$refusal.partial"
  rm -f "$refusal.raw"
  cmp -s "$refusal.partial" "$refusal" || cat "$refusal.partial" # nginx says it twice at a start
  mv -f "$refusal.partial" "$refusal"
}
