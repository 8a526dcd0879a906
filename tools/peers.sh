# Sourced: the peers' clients, which Tests/Peers needs: OpenTelemetry's SDK, gRPC's health client, Prometheus's parser and promtool.
# `install_peers` makes the folder `$venv` of them, or leaves in `peers_lack` what is lacking.
venv=.venv
python_packages=Tests/Peers/requirements.txt
debian_packages=()
peers_lack=""
command -v promtool >/dev/null || debian_packages+=(prometheus)
command -v curl >/dev/null || debian_packages+=(curl)
python3 -c 'import venv, ensurepip' 2>/dev/null || debian_packages+=(python3 python3-venv)

install_peers() {
    if ((${#debian_packages[@]})); then
        command -v apt-get >/dev/null && [[ $(id -u) -eq 0 ]] || {
            peers_lack="install ${debian_packages[*]}"
            return 1
        }
        echo "Installing ${debian_packages[*]} by apt-get ..."
        # Prometheus itself is a tool here, no service.
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
            apt-get install -y -qq --no-install-recommends "${debian_packages[@]}" >/dev/null; } || {
            peers_lack="apt-get could not install ${debian_packages[*]}"
            return 1
        }
    fi
    if ! cmp -s "$python_packages" "$venv/installed.txt"; then
        echo "Installing $python_packages from PyPI into $venv ..."
        { python3 -m venv "$venv" && "$venv/bin/pip" install -q --disable-pip-version-check -r "$python_packages" &&
            cp "$python_packages" "$venv/installed.txt"; } || {
            peers_lack="PyPI could not be reached, or refused"
            return 1
        }
    fi
}
