#!/usr/bin/env bash
# Runs the demonstration for a while: it must stay healthy, its memory must stay flat, and it must drain at the end.
set -euo pipefail
phoenix=$1 seconds=$2
cd "$(dirname "$0")/.."
log=$(mktemp)
# Should it crash, it ends at once: see docs/service.md.
export SWIFT_BACKTRACE=${SWIFT_BACKTRACE:-enable=no}
"$phoenix" run graphs/demo.yaml --set hosts.interval=1s >/dev/null 2>"$log" &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; rm -f "$log"' EXIT

resident() { awk '/VmRSS/ {print $2}' "/proc/$pid/status"; }
look() { # NAME COMMAND...
    "${@:2}" || { echo "$1 does not answer; the end of the log:"; tail -20 "$log"; exit 1; }
}
fetch() { curl -sf -m 10 -o /dev/null "$1"; }
sleep $((seconds / 4 + 5))
early=$(resident)
echo "resident: $early kB after a quarter of the time"
end=$((SECONDS + seconds * 3 / 4))
while ((SECONDS < end)); do
    for port in 8888 8889 8890; do look "port $port" fetch "http://127.0.0.1:$port/metrics"; done
    look "/ready" fetch http://127.0.0.1:13133/ready
    sleep 1
done
late=$(resident)
echo "resident: $late kB at the end"
kill -TERM "$pid"
wait "$pid" || { echo "the drain was not clean:"; cat "$log"; exit 1; }
# A tenth and 20 MB are what an allocator may keep.
((late < early * 11 / 10 + 20000)) || { echo "memory grew"; exit 1; }
echo "the demonstration ran for $seconds s"
