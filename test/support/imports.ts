import { readdirSync, readFileSync } from "node:fs";
import { join, posix, relative } from "node:path";
import ts from "typescript";

/** One import of one file: both as paths in the sources, or the name of a package. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

/** What the layers may import; `index.ts` is above them all. */
export interface Layers {
  readonly [layer: string]: { readonly imports: readonly string[]; readonly packages: readonly RegExp[] };
}

/** Every import of the TypeScript files below a directory, `import type` and `import()` included. */
export function importsBelow(directory: string): Import[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .flatMap((name) =>
      importsOf(relative(directory, join(directory, name)), readFileSync(join(directory, name), "utf8")),
    );
}

export function importsOf(from: string, source: string): Import[] {
  return ts
    .preProcessFile(source, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .map((to) => ({ from, to: to.startsWith(".") ? posix.join(posix.dirname(from), to) : to }));
}

/** Imports that the layers do not allow, as sentences. */
export function wrongImports(imports: readonly Import[], layers: Layers): string[] {
  return imports.flatMap(({ from, to }) => {
    const layer = layerOf(from);
    if (layer === undefined || to.startsWith("node:")) return [];
    const allowed = layers[layer];
    if (!allowed) return [`${from}: ${layer} is no layer`];
    const local = to.startsWith("../")
      ? undefined
      : Object.keys(layers).find((each) => to === each || to.startsWith(`${each}/`));
    if (local !== undefined) {
      return local === layer || allowed.imports.includes(local)
        ? []
        : [`${from} imports ${to}: ${layer} may not know ${local}`];
    }
    const isPackage = /^[@a-z]/.test(to) && !/^(index|\.)/.test(to);
    if (isPackage && allowed.packages.some((name) => name.test(to))) return [];
    return [`${from} imports ${to}, which ${layer} may not`];
  });
}

/** Files that import themselves around others: each circle once, as `a.ts → b.ts → a.ts`. */
export function circles(imports: readonly Import[]): string[] {
  const files = new Map<string, string[]>();
  for (const { from, to } of imports) files.set(from, [...(files.get(from) ?? []), `${to}.ts`]);
  const found: string[] = [];
  const seen = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) found.push([...way.slice(way.indexOf(file)), file].join(" → "));
    if (seen.has(file)) return;
    seen.add(file);
    for (const next of files.get(file) ?? []) visit(next, [...way, file]);
  };
  for (const file of files.keys()) visit(file, []);
  return found;
}

function layerOf(file: string): string | undefined {
  return file.includes("/") ? file.split("/", 1)[0] : undefined;
}
