import type { UnitName } from "../model/names";
import { quote } from "../render/shell";
import type { PlanProbe } from "./host-plan";

/** The exposure of a unit as systemd reckons it: `{"exposure":1.1}`. Not a condition: versions reckon differently. */
export function exposureProbe(unit: UnitName): PlanProbe {
  const script = `#!/bin/sh
set -eu
level=$(systemd-analyze security --no-pager ${quote(unit)} 2>/dev/null |
  sed -n 's/^.*Overall exposure level for [^:]*: \\([0-9][0-9]*\\.[0-9]*\\).*$/\\1/p')
[ -n "$level" ] || { echo ${quote(`systemd-analyze says nothing of ${unit}`)} >&2; exit 1; }
printf '{"exposure":%s}\\n' "$level"
`;
  return { name: "exposure", timeout: 60, script };
}
