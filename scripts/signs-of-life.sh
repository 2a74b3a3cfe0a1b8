# Sourced by the other scripts. While something takes its time, say so: nobody looks at a silent terminal for long.
#
#   beats WHAT COMMAND…   run COMMAND; each 1.5 seconds a line on stderr that it still goes on
beats() {
  local what=$1 began=$SECONDS status beat
  shift
  # Its sleep holds no pipe open, and it ends by itself when this shell is gone.
  { while sleep 1.5 </dev/null >/dev/null 2>&1; kill -0 $$ 2>/dev/null; do
    printf '  … %s, %d s\n' "$what" $((SECONDS - began)) >&2
  done; } >/dev/null &
  beat=$!
  "$@"
  status=$?
  # Not TERM: that is lost if it comes before the new process has put off the traps of this one, which would wait for ever.
  kill -KILL "$beat" 2>/dev/null
  wait "$beat" 2>/dev/null || true
  return $status
}
