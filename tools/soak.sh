#!/usr/bin/env bash
# Runs the demonstration for a while: it must stay healthy, its memory must stay flat, and it must drain at the end.
set -euo pipefail
phoenix=$1 seconds=$2
cd "$(dirname "$0")/.."
log=$(mktemp)
"$phoenix" run graphs/demo.yaml --set hosts.interval=1s >/dev/null 2>"$log" &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; rm -f "$log"' EXIT

resident() { awk '/VmRSS/ {print $2}' "/proc/$pid/status"; }
sleep $((seconds / 4 + 5))
early=$(resident)
end=$((SECONDS + seconds * 3 / 4))
while ((SECONDS < end)); do
    for port in 8888 8889 8890; do curl -sf -m 10 -o /dev/null "http://127.0.0.1:$port/metrics"; done
    curl -sf -m 5 -o /dev/null http://127.0.0.1:13133/ready
    sleep 1
done
late=$(resident)
echo "resident: $early kB after a quarter of the time, $late kB at the end"
kill -TERM "$pid"
wait "$pid" || { echo "the drain was not clean:"; cat "$log"; exit 1; }
# A tenth and 20 MB are what an allocator may keep.
((late < early * 11 / 10 + 20000)) || { echo "memory grew"; exit 1; }
echo "soak passed: $seconds s"
