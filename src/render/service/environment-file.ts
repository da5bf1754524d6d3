import { MARKER } from "../marker";
import { sortedByKey } from "../../model/records";

/**
 * Variables as `EnvironmentFile=` reads them, each in double quotes: nothing in a value is expanded. A shell reads the
 * same. See systemd.exec(5).
 * @throws Error where a name or a value cannot be in such a file; `checkEnvironment` finds both
 */
export function environmentFile(variables: Readonly<Record<string, string>>): string {
  const lines = Object.entries(sortedByKey(variables)).map(([name, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new Error(`${JSON.stringify(name)} is not a variable's name`);
    if (/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(value)) throw new Error(`${name} holds a control character`);
    return `${name}="${value.replace(/["\\$`]/g, "\\$&")}"`;
  });
  return `${[MARKER, ...lines].join("\n")}\n`;
}
