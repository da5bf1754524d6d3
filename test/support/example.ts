import { createRequire } from "node:module";
import { join } from "node:path";
import type { PulumiFn } from "@pulumi/pulumi/automation";
import { REPOSITORY } from "./engine/project";

const load = createRequire(__filename);

/** A program of the folder `examples` as an inline program: evaluated anew at each run, its exports are the outputs. */
export function example(path: string): PulumiFn {
  const file = join(REPOSITORY, "examples", path, "index.ts");
  return async () => {
    Reflect.deleteProperty(load.cache, load.resolve(file));
    return { ...(load(file) as Record<string, unknown>) };
  };
}
