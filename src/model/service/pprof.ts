import { at, isFields } from "../check";
import { issue, type Issue } from "../issues";
import { isLoopback, parseEndpoint } from "./listen";

/** An option or a variable for profiling: `--pprof-addr`, `PPROF_LISTEN`, `-debug.addr`. */
const NAME = /(^|[^a-z])(pprof|profil(er|ing)|debug)([^a-z]|$)/i;

/** The port that net/http/pprof's documentation uses, whatever the option is called. */
const PORT = 6060;

/**
 * Addresses for profiling that are open to everybody, in a command line and in variables: they show memory, arguments
 * and code. See https://pkg.go.dev/net/http/pprof.
 */
export function publicProfiles(args: { readonly exec?: unknown; readonly env?: unknown }): Issue[] {
  const { exec, env } = args;
  const words = Array.isArray(exec) ? (exec as unknown[]) : [];
  return [
    ...words.flatMap((word, index) => {
      if (typeof word !== "string") return [];
      const [, option, value] = /^(--?[^=]+)=(.*)$/.exec(word) ?? [];
      const before: unknown = words[index - 1];
      const name = option ?? (typeof before === "string" && before.startsWith("-") ? before : "");
      return open(at("exec", index), name, value ?? word);
    }),
    ...Object.entries(isFields(env) ? env : {}).flatMap(([name, value]) =>
      typeof value === "string" ? open(at("env", name), name, value) : [],
    ),
  ];
}

function open(path: string, name: string, value: string): Issue[] {
  const endpoint = parseEndpoint(value.replace(/^\*(?=:)/, "").replace(/^localhost(?=:)/, "127.0.0.1"));
  if (endpoint === undefined || isLoopback(endpoint.address)) return [];
  if (endpoint.port !== PORT && !NAME.test(name)) return [];
  return [
    issue(path, value, `"127.0.0.1:${endpoint.port}" or a unix socket: profiles show memory, arguments and code`),
  ];
}
