"""The benchmark's job as a pyinfra deploy. Data: tree (folder with the files), units (comma-separated), probe (sh)."""

from pyinfra import host
from pyinfra.operations import files, server, systemd

synced = files.sync(
    name="Files",
    src=f"{host.data.tree}/etc",
    dest="/etc",
    user="root",
    group="root",
    mode="644",
    dir_mode="755",
)

server.shell(
    name="User",
    commands=["systemd-sysusers /etc/sysusers.d/benchd.conf"],
    _if=synced.did_change,
)

systemd.daemon_reload(name="Reload", _if=synced.did_change)

for unit in host.data.units.split(","):
    systemd.service(name=f"Restart {unit}", service=unit, running=True, restarted=True, _if=synced.did_change)

server.shell(name="Probe", commands=[host.data.probe])
