import { spawn } from "node:child_process";
import type { HostPlan } from "../../src/plan/host-plan";
import type { Host } from "../hosts/support/hosts";
import {
  answerOf,
  COMPONENT,
  file,
  INSTANCE,
  plan,
  release,
  STACK,
  transaction,
  upload,
  type Answer,
  type OnEvent,
  type Release,
} from "./support";

type Request = Readonly<Record<string, string | number>>;

/** Runs a verb on a test host over SSH, the way an operator does. */
export async function onHost(
  host: Host,
  verb: string,
  request: Request = {},
  entries: ReadonlyMap<string, string | Buffer> = new Map(),
  onEvent?: OnEvent,
): Promise<Answer> {
  const body = await upload(
    { component: COMPONENT, stack: STACK, urn: "urn:go", instance: INSTANCE, ...request },
    entries,
  );
  const bootstrap =
    `umask 077; mkdir -p /run/gofleet && d=$(mktemp -d /run/gofleet/up.XXXXXX) && tar xzf - -C "$d" && ` +
    `exec sh "$d/agent" ${verb} "$d"`;
  const child = spawn("ssh", ["-o", "ConnectTimeout=5", ...host.sshArguments(), bootstrap], { stdio: "pipe" });
  return answerOf(child, body, onEvent);
}

export function runOn(host: Host, what: Release, request: Request = {}, onEvent?: OnEvent): Promise<Answer> {
  const full = { release: what.id, tx: transaction(), expect: "any", lockwait: 20, deadline: 60, ...request };
  return onHost(host, "run", full, what.entries, onEvent);
}

/** Twenty-five files, two units, a user: a service that says which release it was started with. */
export function service(text: string, more: Partial<HostPlan> = {}): Release {
  const unit = `[Unit]
Description=demo ${text}
[Service]
User=demo
RuntimeDirectory=demo
StateDirectory=demo-state
ExecStart=/bin/sh -c 'echo serving ${text} >/run/demo/said; exec sleep infinity'
`;
  return release(
    plan({
      files: [
        ...Array.from({ length: 20 }, (_, n) => file(`/etc/demo/conf.d/${n}.conf`, `${n} ${text}\n`)),
        file("/etc/demo/main.conf", `${text}\n`, { owner: "demo", group: "demo", mode: "0640" }),
        file("/etc/sysusers.d/demo.conf", 'u demo - "Demo" /var/lib/demo /usr/sbin/nologin\n'),
        file("/etc/tmpfiles.d/demo.conf", "d /var/lib/demo 0750 demo demo -\n"),
        file("/etc/systemd/system/demo.service", unit),
        file("/etc/systemd/system/demo.timer", "[Timer]\nOnBootSec=1h\n"),
      ],
      symlinks: [
        {
          path: "/etc/systemd/system/multi-user.target.wants/demo.service",
          target: "../demo.service",
          switched: false,
        },
        { path: "/etc/systemd/system/timers.target.wants/demo.timer", target: "../demo.timer", switched: false },
      ],
      units: [
        {
          name: "demo.service",
          onChange: "restart",
          reads: ["/etc/demo/main.conf", "/etc/systemd/system/demo.service"],
        },
        { name: "demo.timer", onChange: "restart", reads: ["/etc/systemd/system/demo.timer"] },
      ],
      probes: [
        {
          name: "serves",
          timeout: 5,
          script: `sleep 0.05; cat /run/demo/said; grep -qx 'serving ${text}' /run/demo/said\n`,
        },
      ],
      ...more,
    }),
  );
}
