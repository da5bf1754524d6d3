/** One line the agent printed. Fields by event: docs/host-protocol.md, "Output". */
export interface AgentEvent {
  readonly ev: string;
  readonly [field: string]: unknown;
}

/** The agent's last word. */
export interface AgentResult {
  readonly status: string;
  readonly rc: number;
  readonly tx: string;
  readonly from: string;
  readonly to: string;
  readonly current: string;
  readonly instance: string;
  readonly machine: string;
  readonly msg: string;
}

/** Reads one line; what is not one of the agent's events is kept as `out`. */
export function parseLine(line: string): AgentEvent {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && typeof (value as AgentEvent).ev === "string") {
      return value as AgentEvent;
    }
  } catch {
    // A tool wrote past the agent (a login banner, a shell's complaint): kept below as text.
  }
  return { ev: "out", msg: line };
}

export function text(event: AgentEvent | undefined, field: string): string {
  const value = event?.[field];
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

export function resultOf(event: AgentEvent): AgentResult {
  const field = (name: string) => text(event, name);
  return {
    status: field("status"),
    rc: Number(event["rc"] ?? 70),
    tx: field("tx"),
    from: field("from"),
    to: field("to"),
    current: field("current"),
    instance: field("instance"),
    machine: field("machine"),
    msg: field("msg"),
  };
}

/** `debian-12 amd64 systemd-252`: what the state keeps of a host's facts. */
export function factsLine(event: AgentEvent | undefined): string {
  const systemd = Number(event?.["systemd"] ?? 0);
  return `${text(event, "os")}-${text(event, "version")} ${text(event, "arch")}${systemd > 0 ? ` systemd-${systemd}` : ""}`;
}

/** What stays in the diagnostics, because nobody was there when it happened; undefined for everything else. */
export function noticeText(event: AgentEvent): string | undefined {
  switch (event.ev) {
    case "decision":
      return decisionText(event);
    case "finding":
      return `${text(event, "time")}: ${text(event, "msg")}`;
    default:
      return undefined;
  }
}

function decisionText(event: AgentEvent): string {
  const [time, from, to, why, evidence] = ["time", "from", "to", "msg", "evidence"].map((field) => text(event, field));
  return `went back by itself at ${time}, from ${from} to ${to}: ${why}${evidence === "" ? "" : `; evidence: ${evidence}`}`;
}

/** What a person reads while it happens; undefined for what is not worth a line. */
export function progressText(event: AgentEvent): string | undefined {
  switch (event.ev) {
    case "download":
      return text(event, "msg") === "building"
        ? `building ${text(event, "name")}`
        : `${text(event, "name")} ${text(event, "msg")}`;
    case "package":
    case "unchecked":
      return text(event, "msg");
    case "staged":
      return "staged";
    case "precheck":
      return "checking";
    case "switched":
      return "switched";
    case "restart":
    case "reload":
    case "start":
    case "stopped":
      return `${event.ev} ${text(event, "unit")}`;
    case "check":
      return `check ${text(event, "name")} ${text(event, "msg")}`;
    case "probe":
      return `probe ${text(event, "name")} ${event["ok"] === true ? "passed" : "failed"}`;
    case "watching":
      return `watched for ${text(event, "seconds")} s`;
    case "reverting":
      return `going back: ${text(event, "msg")}`;
    default:
      return undefined;
  }
}
