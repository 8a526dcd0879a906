#!/usr/bin/env bash
# All tests, and a closing count. What cannot run here is skipped loudly; with CI=true nothing may be skipped.
set -uo pipefail
read -ra swift <<<"$1"
read -ra testing <<<"$2"
read -ra checked <<<"$3"
cd "$(dirname "$0")/.."

passed=() failed=() skipped=()
step() { # NAME COMMAND...
    local name=$1
    shift
    echo
    echo "== $name"
    if "$@"; then passed+=("$name"); else failed+=("$name"); fi
}
skip() { # NAME REASON
    echo
    echo "!! SKIPPED: $1: $2" >&2
    if [[ ${CI:-} == true ]]; then failed+=("$1 (skipped: $2)"); else skipped+=("$1: $2"); fi
}

swift_log=$(mktemp)
peers_log=$(mktemp)
# What the Swift tests expose, for the parsers of others to judge.
export PHOENIX_EXPOSITIONS
PHOENIX_EXPOSITIONS=$(mktemp -d)
trap 'rm -rf "$swift_log" "$peers_log" "$PHOENIX_EXPOSITIONS"' EXIT

build() { "${swift[@]}" build "${testing[@]}" "${checked[@]}" --build-tests; }
# One after the other: tests that compute for minutes would keep those that wait for each other from a thread.
swift_tests() { "${swift[@]}" test "${testing[@]}" "${checked[@]}" --skip-build --no-parallel 2>&1 | tee "$swift_log"; return "${PIPESTATUS[0]}"; }

# --- the peers' own clients against the program
. tools/peers.sh
peers_tests() {
    PHOENIX_BINARY="$("${swift[@]}" build "${testing[@]}" --show-bin-path)/phoenix" \
        "$venv/bin/python" -m pytest -q Tests/Peers 2>&1 | tee "$peers_log"
    return "${PIPESTATUS[0]}"
}

step "build" build
if ((${#failed[@]} == 0)); then
    step "Swift tests" swift_tests
    if compgen -G 'Tests/Peers/*.py' >/dev/null; then
        if install_peers; then step "peers" peers_tests; else skip "peers" "$peers_lack"; fi
    fi
fi

echo
echo "================================================================"
count=$(grep -oE 'Test run with [0-9]+ tests?[^.]*' "$swift_log" | awk '{sum += $4} END {print sum + 0}')
peers=$(grep -oE '[0-9]+ passed' "$peers_log" | tail -1)
echo "Swift tests run: $count; peers: ${peers:-none}"
echo "steps: ${#passed[@]} passed, ${#failed[@]} failed, ${#skipped[@]} skipped"
for name in ${failed[@]+"${failed[@]}"}; do echo "FAILED:  $name"; done
for name in ${skipped[@]+"${skipped[@]}"}; do echo "SKIPPED: $name"; done
((${#failed[@]} == 0))
