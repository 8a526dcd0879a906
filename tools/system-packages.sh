#!/usr/bin/env bash
# Sees to the two C libraries that Phoenix stands on: nghttp2 (HTTP/2) and zlib (gzip). Quiet where they are there.
set -euo pipefail

if ! command -v swift >/dev/null; then
    echo "Phoenix is written in Swift, and there is no \`swift\` in PATH. Install the toolchain: https://swift.org/install" >&2
    exit 1
fi

missing=()
# The compiler of the toolchain knows where headers are on this machine; a path guessed here would not.
clang="$(dirname "$(readlink -f "$(command -v swift)")")/clang"
[[ -x $clang ]] || clang=$(command -v clang || command -v cc || echo false)
have_header() { echo "#include <$1>" | "$clang" -E -x c - >/dev/null 2>&1; }
have_header nghttp2/nghttp2.h || missing+=(libnghttp2-dev)
have_header zlib.h || missing+=(zlib1g-dev)
((${#missing[@]})) || exit 0

advice="Install ${missing[*]} (Debian, Ubuntu: sudo apt-get install ${missing[*]}; Fedora: sudo dnf install libnghttp2-devel zlib-devel; macOS: brew install libnghttp2), then run this again."
if ! command -v apt-get >/dev/null; then
    echo "Phoenix needs: ${missing[*]}, and this machine has no apt-get. $advice" >&2
    exit 1
fi
if [[ $(id -u) -eq 0 ]]; then
    as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
else
    echo "Phoenix needs: ${missing[*]}, and this user may not install them. $advice" >&2
    exit 1
fi
echo "Phoenix needs ${missing[*]}: installing by apt-get ..."
"${as_root[@]}" apt-get update -qq || echo "apt-get update failed; trying with the lists that are here" >&2
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || {
    echo "apt-get could not install them. $advice" >&2
    exit 1
}
