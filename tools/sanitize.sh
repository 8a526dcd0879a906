#!/usr/bin/env bash
# The tests of what threads share, under ThreadSanitizer: edges, supervision, listeners, and servers under fuzz.
# SANITIZE_FILTER chooses others. A debug build of its own folder: the sanitizer changes every object file.
set -euo pipefail
read -ra swift <<<"$1"
cd "$(dirname "$0")/.."
filter=${SANITIZE_FILTER:-'^PhoenixRuntimeTests\.|^PhoenixWireTests\.(HTTP|GRPC)'}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# PHOENIX_TSAN: a lock that the sanitizer understands, see Sources/PhoenixModel/Lock.swift.
options=(--scratch-path .build-tsan --sanitize=thread -Xswiftc -DPHOENIX_TSAN)
export TSAN_OPTIONS="halt_on_error=0 second_deadlock_stack=1 ${TSAN_OPTIONS:-}"
"${swift[@]}" test "${options[@]}" --no-parallel --filter "$filter" 2>&1 | tee "$log"
# Swift's tests may pass while the sanitizer warns.
warnings=$(grep -c 'WARNING: ThreadSanitizer' "$log" || true)
tests=$(grep -oE 'Test run with [0-9]+ tests?' "$log" | awk '{sum += $4} END {print sum + 0}')
echo "ThreadSanitizer: $tests tests, $warnings warnings"
((warnings == 0 && tests > 0))
