import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { isFields } from "../model/check";
import type { Preview } from "../report/change";

/**
 * A preview without places that are not the program's own lines. With `typescript: false` a loader compiles TypeScript
 * (`--import tsx`), and Pulumi's program host, which puts source-map-support before the loader's own maps, counts the
 * lines of what came out of it. No place is better than a link to the wrong line.
 *
 * @param project the project's directory; where it has no Pulumi.yaml, every place stays
 */
export function withSourceLines(preview: Preview, project: string): Preview {
  if (!compilesByLoader(project)) return preview;
  return {
    ...preview,
    stacks: preview.stacks.map((stack) => ({
      ...stack,
      resources: stack.resources.map(({ position, ...resource }) =>
        position === undefined || /\.[cm]?tsx?$/.test(position.file) ? resource : { ...resource, position },
      ),
    })),
  };
}

/** See https://www.pulumi.com/docs/iac/concepts/projects/project-file/#runtime-options. */
function compilesByLoader(project: string): boolean {
  const file = ["Pulumi.yaml", "Pulumi.yml"].map((name) => join(project, name)).find(existsSync);
  if (file === undefined) return false;
  const settings: unknown = parse(readFileSync(file, "utf8"));
  const runtime = isFields(settings) ? settings["runtime"] : undefined;
  const options = isFields(runtime) ? runtime["options"] : undefined;
  return isFields(options) && options["typescript"] === false;
}
