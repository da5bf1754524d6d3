import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Where a secret's bytes are found, in clear or in an encoding that anybody can undo; empty when nowhere.
 *
 * @param texts what to search, each under the name to report it by
 */
export function findSecret(secret: string, texts: ReadonlyMap<string, string>): readonly string[] {
  if (secret.length < 8) throw new Error("a planted secret needs 8 characters or more, or it is found by chance");
  const forms = Object.entries(encodings(secret));
  return [...texts].flatMap(([name, text]) =>
    forms.filter(([, form]) => text.includes(form)).map(([encoding]) => `${name} (${encoding})`),
  );
}

/** All files below `dir` as texts for {@link findSecret}, symbolic links not followed. */
export function filesBelow(dir: string, except: readonly string[] = []): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (except.includes(entry.name) || entry.isSymbolicLink()) continue;
    if (entry.isDirectory()) for (const [name, text] of filesBelow(path, except)) files.set(name, text);
    else if (entry.isFile() && statSync(path).size < 32 * 1024 * 1024) files.set(path, readFileSync(path, "latin1"));
  }
  return files;
}

function encodings(secret: string): Record<string, string> {
  const bytes = Buffer.from(secret);
  const [shifted1, shifted2] = [1, 2].map((skip) => bytes.subarray(skip).toString("base64"));
  // Cut what depends on the bytes around the secret, so that it is also found inside a longer base64 text.
  const inner = (base64: string) => base64.replace(/=+$/, "").slice(0, -1);
  return {
    "in clear": secret,
    json: JSON.stringify(secret).slice(1, -1),
    base64: inner(bytes.toString("base64")),
    "base64, one byte off": inner(shifted2 ?? ""),
    "base64, two bytes off": inner(shifted1 ?? ""),
    hex: bytes.toString("hex"),
    url: encodeURIComponent(secret),
  };
}
