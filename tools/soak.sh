#!/usr/bin/env bash
# What takes too long for every change, one step after the other; each tells how long it took, and the last line how long all did.
#
# SOAK_STEPS chooses steps by name, SOAK_SCALE (1000) shortens all but the build and the sanitizer: 10 is a hundredth.
set -uo pipefail
read -ra swift <<<"$1"
read -ra testing <<<"$2"
read -ra checked <<<"$3"
cd "$(dirname "$0")/.."
. tools/peers.sh
all=(build sanitize histories pauses reloads load mutants wire restarts controls demonstration)
read -ra steps <<<"${SOAK_STEPS:-${all[*]}}"
scale=${SOAK_SCALE:-1000}
scaled() { # COUNT LEAST
    local count=$(($1 * scale / 1000))
    echo $((count > $2 ? count : $2))
}
log=$(mktemp)
pulse=''
trap 'kill $pulse 2>/dev/null; rm -f "$log"' EXIT

passed=() failed=()
step() { # NAME
    local name=$1 began=$SECONDS
    echo
    echo "== $name (step $((${#passed[@]} + ${#failed[@]} + 1)) of ${#steps[@]})"
    while sleep 60 &>/dev/null; do echo "   ... $name, $(((SECONDS - began) / 60)) min"; done &
    pulse=$!
    if "$name"; then passed+=("$name"); else failed+=("$name"); fi
    kill "$pulse" 2>/dev/null
    wait "$pulse" 2>/dev/null
    pulse=''
    echo "-- $name: $((SECONDS - began)) s"
}
# Only the words of the tests themselves: a million reloads with planned faults warn millions of times.
swift_tests() { # FILTER
    "${swift[@]}" test "${testing[@]}" "${checked[@]}" --skip-build --no-parallel --filter "$1" 2>&1 | tee "$log" |
        grep --line-buffered -E '✘|recorded an issue|^reloads|^mutations| series, |Test run with'
    return "${PIPESTATUS[0]}"
}
peers_test() { # ARGUMENTS OF PYTEST...
    install_peers || { echo "the peers' clients are lacking: $peers_lack" >&2; return 1; }
    PHOENIX_BINARY="$binary" "$venv/bin/python" -m pytest -q -s "$@"
}

build() { "${swift[@]}" build "${testing[@]}" "${checked[@]}" --build-tests; }
sanitize() { tools/sanitize.sh "${swift[*]}"; }
# Random histories of each kind against the oracle, and series that come and go.
histories() {
    local kinds='CounterPropertyTests|ReaggregatorCounterTests|GaugePropertyTests|DeltaTests|LevelPropertyTests|CompoundPropertyTests|HistogramTests|ExponentialTests'
    PHOENIX_HISTORIES=$(scaled 1000000 1000) swift_tests "$kinds" &&
        PHOENIX_CHURN_SERIES=$(scaled 10000000 200000) swift_tests ChurnTests
}
# How long a path stands still while a node hands over.
pauses() {
    PHOENIX_SERIES=$(scaled 300000 1500) swift_tests HandOverPauseTests &&
        PHOENIX_RELOAD_PAUSE=full peers_test Tests/Peers/test_reload_pause.py
}
# Random changes of random graphs, a hundredth of them at a time: each says the seed it began with.
reloads() {
    local whole part done=0
    whole=$(scaled 1000000 5000)
    part=$((whole / 100 > 5000 ? whole / 100 : 5000))
    while ((done < whole)); do
        PHOENIX_RELOADS=$part PHOENIX_RELOAD_SEED=$((done / 50 + 1)) swift_tests ReloadPropertyTests || return 1
        done=$((done + part))
        echo "   $done of $whole reloads"
    done
}
# A thousand changes in a minute of the real program under load, and ten thousand graph files with slips.
load() { PHOENIX_RELOAD_LOAD=full peers_test Tests/Peers/test_reload_load.py; }
mutants() { PHOENIX_MUTANTS=$(scaled 10000 100) peers_test Tests/Peers/test_reload_mutants.py; }
# Bytes that nobody should send: streams at the HTTP server, and requests that were written well and then changed.
wire() {
    PHOENIX_FUZZ_ROUNDS=$(scaled 100000 2000) PHOENIX_MUTATIONS=$(scaled 1000000 10000) swift_tests 'HTTPFuzzTests|MutationTests'
}
# kill -9 under load and a start in its place: no counter falls, nothing is told twice.
restarts() { PHOENIX_RESTARTS=$(scaled 100 2) peers_test Tests/Peers/test_restart.py; }
controls() { PHOENIX_KILLS=$(scaled 100 2) peers_test Tests/Peers/test_control_kill.py; }
demonstration() { tools/soak-demo.sh "$binary" "$(scaled "${SOAK_SECONDS:-300}" 20)"; }

for name in "${steps[@]}"; do
    [[ " ${all[*]} " == *" $name "* ]] || { echo "no step \`$name\`; there are ${all[*]}" >&2; exit 2; }
done
binary="$("${swift[@]}" build "${testing[@]}" --show-bin-path)/phoenix" || exit
echo "Steps: ${steps[*]}. All of them whole take hours on two cores; each says every minute that it is at work."
for name in "${steps[@]}"; do
    step "$name"
    # Without a program there is nothing to try.
    [[ $name == build && ${#failed[@]} -gt 0 ]] && break
done

echo
echo "================================================================"
echo "soak: ${#passed[@]} of ${#steps[@]} steps passed in $((SECONDS / 60)) min $((SECONDS % 60)) s"
for name in ${failed[@]+"${failed[@]}"}; do echo "FAILED:  $name"; done
((${#passed[@]} == ${#steps[@]}))
