#!/usr/bin/env bash
# The control loop in two minutes: imaginary hosts grow and shrink, and the mode follows. Seconds stand for minutes.
set -euo pipefail
phoenix=$1
seconds=${2:-120}
directory=$(mktemp -d)
export PHOENIX_CONTROL_FILE=$directory/optimization_mode.yaml
# Should it crash, it ends at once: see docs/service.md.
export SWIFT_BACKTRACE=${SWIFT_BACKTRACE:-enable=no}
log=$directory/log
"$phoenix" run graphs/demo.yaml \
    --set hosts.processes_per_host=100 --set hosts.peak=1500 --set hosts.profile=wave --set hosts.period=80s \
    --set hosts.interval=1s --set hosts.restarts=0 \
    --set optimized.alive_within=4s --set optimized_endpoint.metric_expiration=4s \
    --set cardinality.alive_within=4s --set cardinality.explosion_growth=1000 --set cardinality.high_risk_series=1000000 \
    --set kpis.every=500ms \
    --set control.interval=1s --set control.stability=2s --set control.calm=15s \
    --set control.target=6000 --set control.conservative_max=5000 --set control.aggressive_min=8000 \
    2>"$log" &
pid=$!
trap 'kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; rm -rf "$directory"' EXIT
field() { sed -n "s/^$1: *//p" "$PHOENIX_CONTROL_FILE" 2>/dev/null | tr -d '"' || true; }
series() { { curl -s "localhost:$1/metrics" || true; } | sed -n "s/^$2 //p"; }

printf '%4s  %-13s %7s  %10s %10s  %s\n' s mode version full optimized why
last=
for ((second = 0; second < seconds; second++)); do
    sleep 1
    kill -0 "$pid" 2>/dev/null || { cat "$log"; exit 1; }
    version=$(field config_version)
    # Every change, and every fifth second.
    [[ $version != "$last" || $((second % 5)) -eq 0 ]] || continue
    why=
    [[ $version == "$last" ]] || why=$(field trigger_reason)
    last=$version
    printf '%4s  %-13s %7s  %10s %10s  %s\n' "$second" "$(field optimization_profile)" "$version" \
        "$(series 8888 phoenix_full_output_ts_active)" "$(series 8889 phoenix_optimised_output_ts_active)" "$why"
done
echo
echo "The control file as it stands:"
cat "$PHOENIX_CONTROL_FILE"
