# For scripts that count instructions: `source` it with the script's own arguments. Compares each count with the ceiling
# in the file $ceilings, or collects new ones with --update.
update=
if [ "${1:-}" = --update ]; then update=yes; fi
failed=0
new=

# compare KEY COUNTED MARGIN: the line of $ceilings that begins with KEY; a new ceiling is COUNTED and MARGIN percent.
compare() {
  local key=$1 counted=$2 margin=$3 ceiling verdict=ok
  [ "${counted:-0}" -gt 0 ] || { echo "callgrind counted nothing for $key" >&2; exit 1; }
  new+="$key $((counted * (100 + margin) / 100))"$'\n'
  ceiling=$(sed -n "s/^$key \([0-9]*\)$/\1/p" "$ceilings" 2>/dev/null || true)
  if [ -z "$update" ] && { [ -z "$ceiling" ] || [ "$counted" -gt "$ceiling" ]; }; then
    verdict="TOO MANY"
    failed=1
  fi
  printf '%-26s %12d of at most %12s  %s\n' "$key" "$counted" "${ceiling:-none}" "$verdict"
}

finish() {
  if [ -n "$update" ]; then printf '%s' "$new" >"$ceilings"; fi
  exit $failed
}
