import { shortType } from "./meaning";
import type { ComponentChange, Report } from "./report";

/** More boxes than these are no picture any more. */
const STACKS = 4;
const COMPONENTS = 12;

/** The fleet, what changes marked; undefined where there is too little or too much to draw. */
export function picture({ stacks, components }: Report): string[] | undefined {
  if (components.length < 2 || components.length > COMPONENTS || stacks.length > STACKS) return undefined;
  const lines = ["flowchart LR"];
  stacks.forEach(({ stack, counts }, index) => {
    const own = components.filter((each) => each.stack === stack);
    if (own.length === 0) return;
    lines.push(`  s${index}["${label(stack)}"]`);
    for (const component of own) {
      const id = `c${components.indexOf(component)}`;
      lines.push(
        `  s${index} --> ${id}["${label(component.name)}<br/>${label(shortType(component.type))}"]:::${component.op}`,
      );
      if (component.hosts > 0) lines.push(`  ${id} --> h${components.indexOf(component)}(["${hosts(component)}"])`);
    }
    if (counts.same > 0) lines.push(`  s${index} --> u${index}["${counts.same} unchanged"]:::same`);
  });
  const used = STYLES.filter(([name]) => lines.some((line) => line.endsWith(`:::${name}`)));
  return [...lines, ...used.map(([name, style]) => `  classDef ${name} ${style}`)];
}

const STYLES = [
  ["same", "fill:#f6f8fa,stroke:#59636e,color:#59636e"],
  ["create", "fill:#dafbe1,stroke:#1a7f37,color:#1f2328"],
  ["update", "fill:#fff8c5,stroke:#9a6700,color:#1f2328"],
  ["replace", "fill:#ffebe9,stroke:#cf222e,color:#1f2328"],
  ["delete", "fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-dasharray:4"],
  ["import", "fill:#ddf4ff,stroke:#0969da,color:#1f2328"],
] as const;

function hosts({ hosts: all, visited }: ComponentChange): string {
  const unit = all === 1 ? "host" : "hosts";
  return visited === all ? `${all} ${unit}` : `${visited} of ${all} ${unit}`;
}

/** Only what no Mermaid syntax, entity or HTML can be made of. */
function label(text: string): string {
  const safe = text.replace(/[^\p{L}\p{N} ._/:-]/gu, "·").replace(/:\/\//g, ":··");
  return safe.length > 40 ? `${safe.slice(0, 39)}…` : safe;
}
