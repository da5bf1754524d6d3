import { at, isFields, type CheckOptions } from "../check";
import { checkFields, type ValueCheck } from "../field-checks";
import { checkGoEnv } from "../go-env";
import { issue, type Issue } from "../issues";
import { formatSize, parseSize, type Size } from "../units";

/** Settings of the go command that say where modules come from, and who vouches for them. */
const MODULE_ENV_KEYS = ["GOINSECURE", "GONOPROXY", "GONOSUMDB", "GOPRIVATE", "GOPROXY", "GOSUMDB"] as const;

/** See `go help environment`. */
export type ModuleEnv<Value = string> = { readonly [Key in (typeof MODULE_ENV_KEYS)[number]]?: Value };

/** The module cache that all slots read. Only a user of its own writes it, and only what the checksum database confirms. */
export interface ModulesArgs<Value = string> {
  /**
   * Room it may take.
   * @default what its file system has, down to the watermarks
   */
  readonly max?: Size;
  /**
   * Where modules come from, for jobs and for the user that fills the shared cache. Everybody on the host can read it: no
   * secrets. Jobs may say otherwise for themselves.
   * @default the toolchain's own settings, by its `env` and its `mirror`
   */
  readonly env?: ModuleEnv<Value>;
}

export function checkModules(path: string, given: unknown, { isUnknown }: CheckOptions = {}): Issue[] {
  return checkFields(
    path,
    given,
    { max: checkMax, env: (here, env) => checkModuleEnv(here, env, { isUnknown }) },
    isUnknown,
  );
}

/** What one build needs is often more; this much shows that a size was not mistaken. */
const LEAST_MAX = 64 * 2 ** 20;

/** At the budget jobs are held up to make room: one that nothing fits in would hold them up again and again. */
const checkMax: ValueCheck = (path, given) => {
  const { value, issue: wrong } = parseSize(path, given);
  if (wrong) return [wrong];
  return value < LEAST_MAX ? [issue(path, given, `at least "${formatSize(LEAST_MAX)}"`)] : [];
};

/** The module user would refuse the same on the host, at each of its runs. */
export function checkModuleEnv(path: string, given: unknown, { isUnknown = () => false }: CheckOptions = {}): Issue[] {
  if (!isFields(given))
    return [issue(path, given, 'settings by name, such as { GOPROXY: "https://goproxy.corp.example" }')];
  const others = Object.keys(given).filter((key) => !MODULE_ENV_KEYS.some((each) => each === key));
  if (others.length > 0) {
    return others.map((key) =>
      issue(at(path, key), key, `one of ${MODULE_ENV_KEYS.join(", ")}; others in the toolchain's env`),
    );
  }
  const issues = checkGoEnv(path, given, { isUnknown });
  const { GOPROXY: proxy, GOSUMDB: database } = given;
  if (issues.length > 0) return issues;
  return [
    ...(typeof proxy === "string" && !hasProxy(proxy)
      ? [issue(at(path, "GOPROXY"), proxy, "a proxy first: the shared module cache is filled from proxies only")]
      : []),
    ...(database === "off"
      ? [
          issue(
            at(path, "GOSUMDB"),
            database,
            "a checksum database, with modules of your own in GONOSUMDB: jobs say which modules are fetched",
          ),
        ]
      : []),
  ];
}

function hasProxy(list: string): boolean {
  const [first] = list.split(/[,|]/).filter((each) => each !== "" && each !== "direct");
  return first !== undefined && first !== "off";
}
