"""The metrics of this machine, as a real Prometheus scrapes them, against those that psutil reads."""

import os
import shutil
import subprocess
import time

import psutil
import pytest

from engine import ROOT, free_ports, poll
from exposition import read
from test_prometheus import Server

SETS = [
    "engine.listen=[127.0.0.1:{ENGINE_PORT}]",
    "processes.listen=127.0.0.1:{FULL_PORT}",
    "programs_endpoint.listen=127.0.0.1:{OPTIMIZED_PORT}",
    "hostmetrics.interval=1s",
    # The only interface there may be is this one.
    "hostmetrics.network.exclude=[]",
]
ME = f'process_pid="{os.getpid()}"'


@pytest.fixture(scope="module")
def engine(engines):
    # With the rights of this process: executables and disk I/O of those of other users, or with more rights, are closed to it.
    return engines(ROOT / "graphs" / "examples" / "hostmetrics.yaml", sets=SETS, rights=[])


@pytest.fixture(scope="module")
def prometheus(engine, tmp_path_factory):
    server = Server(engine, tmp_path_factory.mktemp("prometheus"), ports=("FULL_PORT", "OPTIMIZED_PORT"))
    yield server
    server.stop()


class Counted:
    """What psutil says of counters: taken before a report and after it, it encloses the report's values."""

    def __init__(self):
        cpu, me = psutil.cpu_times(), psutil.Process()
        disks = psutil.disk_io_counters(perdisk=True, nowrap=False)
        interfaces = psutil.net_io_counters(pernic=True, nowrap=False)
        self.values = {f'system_cpu_time_seconds_total{{cpu_mode="{mode}"}}': getattr(cpu, mode) for mode in ("user", "nice", "system", "idle", "iowait", "softirq", "steal")}
        for name in {name for name in disks if os.path.exists(f"/sys/block/{name}") and not name.startswith(("loop", "ram", "zram"))}:
            for direction in ("read", "write"):
                labels = f'{{system_device="{name}",disk_io_direction="{direction}"}}'
                self.values["system_disk_io_bytes_total" + labels] = getattr(disks[name], f"{direction}_bytes")
                self.values["system_disk_operations_total" + labels] = getattr(disks[name], f"{direction}_count")
                self.values["system_disk_operation_time_seconds_total" + labels] = getattr(disks[name], f"{direction}_time") / 1000
        for name, one in interfaces.items():
            for direction, word, short in (("receive", "recv", "in"), ("transmit", "sent", "out")):
                labels = f'{{network_interface_name="{name}",network_io_direction="{direction}"}}'
                self.values["system_network_io_bytes_total" + labels] = getattr(one, f"bytes_{word}")
                self.values["system_network_packet_count_total" + labels] = getattr(one, f"packets_{word}")
                self.values["system_network_errors_total" + labels] = getattr(one, f"err{short}")
                self.values["system_network_packet_dropped_total" + labels] = getattr(one, f"drop{short}")
        times, io, switches = me.cpu_times(), me.io_counters(), me.num_ctx_switches()
        for name, label, value in (
            ("process_cpu_time_seconds_total", 'cpu_mode="user"', times.user),
            ("process_cpu_time_seconds_total", 'cpu_mode="system"', times.system),
            ("process_disk_io_bytes_total", 'disk_io_direction="read"', io.read_bytes),
            ("process_disk_io_bytes_total", 'disk_io_direction="write"', io.write_bytes),
            ("process_context_switches_total", 'process_context_switch_type="voluntary"', switches.voluntary),
            ("process_context_switches_total", 'process_context_switch_type="involuntary"', switches.involuntary),
        ):
            self.values[f"{name}{{{ME},{label}}}"] = value


def value(prometheus, selector: str) -> float:
    """The one value of a series of the endpoint that shows processes."""
    found = [one for one in prometheus.api("query", query=f"host_{selector}")["result"] if one["metric"]["job"] == "FULL_PORT"]
    assert len(found) == 1, (selector, found)
    return float(found[0]["value"][1])


def uptime(prometheus) -> float:
    return value(prometheus, "system_uptime_seconds")


def next_report(prometheus):
    """Returns once Prometheus has all of a report that was begun after the call."""
    begun = float(open("/proc/uptime").read().split()[0])
    seen = poll("a report", lambda: now if (now := uptime(prometheus)) > begun else None, deadline=30)
    # Its processes come last: with the next report it is whole.
    poll("the next report", lambda: uptime(prometheus) > seen, deadline=30)


def test_counters_lie_between_those_of_psutil_before_and_after(engine, prometheus):
    before = Counted().values
    next_report(prometheus)
    reported = {name: value(prometheus, name) for name in before}
    after = Counted().values
    # The kernel's hundredths of a second, and its own small corrections of idle times.
    slack = {name: 1.0 if 'mode="idle"' in name or 'mode="iowait"' in name else 0.011 if "seconds" in name else 0 for name in before}
    wrong = {
        name: (before[name], reported[name], after[name])
        for name in before
        if not before[name] - slack[name] <= reported[name] <= after[name] + slack[name]
    }
    assert not wrong
    assert len(before) > 15
    assert sum(after[name] > before[name] for name in before) > 3, "something must have moved"


def test_memory_agrees(engine, prometheus):
    next_report(prometheus)
    memory = psutil.virtual_memory()
    assert value(prometheus, "system_memory_limit_bytes") == memory.total
    near = 0.05 * memory.total
    for state in ("used", "free", "cached", "buffers"):
        # What psutil calls cached has the reclaimable caches of the kernel in it.
        ours = value(prometheus, f'system_memory_usage_bytes{{system_memory_state="{state}"}}')
        ours += value(prometheus, 'system_memory_linux_slab_usage_bytes{system_memory_linux_slab_state="reclaimable"}') if state == "cached" else 0
        assert ours == pytest.approx(getattr(memory, state), abs=near), state
    assert value(prometheus, "system_memory_linux_available_bytes") == pytest.approx(memory.available, abs=near)


def test_the_rest_of_the_host_agrees(engine, prometheus):
    next_report(prometheus)
    assert value(prometheus, "system_cpu_logical_count") == len(os.listdir("/sys/bus/cpu/devices")) == psutil.cpu_count()
    assert uptime(prometheus) == pytest.approx(time.time() - psutil.boot_time(), abs=10)
    for minutes, ours in zip(psutil.getloadavg(), ("1m", "5m", "15m")):
        assert value(prometheus, f"system_cpu_load_average_{ours}") == pytest.approx(minutes, abs=1)
    root = psutil.disk_usage("/")
    mount = 'system_filesystem_mountpoint="/"'
    assert value(prometheus, f"system_filesystem_limit_bytes{{{mount}}}") == root.total
    for state, theirs in (("used", root.used), ("free", root.free)):
        ours = value(prometheus, f'system_filesystem_usage_bytes{{{mount},system_filesystem_state="{state}"}}')
        assert ours == pytest.approx(theirs, abs=0.02 * root.total)
    count = prometheus.api("query", query='sum(host_system_process_count{job="FULL_PORT"})')["result"][0]["value"][1]
    assert float(count) == pytest.approx(len(psutil.pids()), abs=0.2 * len(psutil.pids()))


def test_this_process_agrees(engine, prometheus):
    next_report(prometheus)
    me = psutil.Process()
    assert value(prometheus, f"process_memory_usage_bytes{{{ME}}}") == pytest.approx(me.memory_info().rss, rel=0.2)
    assert value(prometheus, f"process_memory_virtual_bytes{{{ME}}}") == pytest.approx(me.memory_info().vms, rel=0.2)
    assert value(prometheus, f"process_thread_count{{{ME}}}") == me.num_threads()
    assert value(prometheus, f"process_unix_file_descriptor_count{{{ME}}}") == pytest.approx(me.num_fds(), abs=5)
    labels = prometheus.api("query", query=f"host_process_thread_count{{{ME}}}")["result"][0]["metric"]
    assert labels["process_owner"] == me.username()
    assert labels["process_executable_name"] == os.path.basename(me.exe())
    assert labels["process_parent_pid"] == str(me.ppid())
    assert labels["process_command_line"] == " ".join(me.cmdline())[:4096]
    assert labels["host_name"] == os.uname().nodename


def test_processes_come_and_go(engine, tmp_path):
    """Names as odd as may be; of those that ended nothing is left, and a program's total is that of those that live."""
    odd = tmp_path / "odd) S 1 (name"
    shutil.copy(shutil.which("sleep"), odd)
    children = [subprocess.Popen([odd, "600"]) for _ in range(3)]

    def shown(port):
        samples = read(engine.url(port))
        return {labels: number for (name, labels), number in samples.items() if name == "host_process_thread_count" and ("process_executable_name", odd.name) in labels}

    try:
        poll("three of them", lambda: len(shown("FULL_PORT")) == 3)
        poll("their program", lambda: list(shown("OPTIMIZED_PORT").values()) == [3])
        for left in (2, 1, 0):
            children[left].kill()
            children[left].wait()
            poll("one less", lambda: len(shown("FULL_PORT")) == left)
            poll("the program's others", lambda: list(shown("OPTIMIZED_PORT").values()) == ([left] if left else []))
    finally:
        for child in children:
            child.kill()
            child.wait()
