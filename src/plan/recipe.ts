import { createHash } from "node:crypto";
import type { PlanBuild } from "./host-plan";

/** Settings of the go command that say where modules come from, never what is built: go.sum pins that. */
export const SOURCE_OF_MODULES =
  /^(GOPROXY|GOSUMDB|GOPRIVATE|GONOPROXY|GONOSUMDB|GOINSECURE|GOVCS|GOAUTH|NETRC|SSL_CERT_(FILE|DIR)|(https?|no|HTTPS?|NO)_(proxy|PROXY))$/;

/** `KEY=value` lines of the settings that shape what is built, sorted. */
export function shapingEnvironment({ env }: PlanBuild): string {
  return Object.entries(env)
    .filter(([key]) => !SOURCE_OF_MODULES.test(key))
    .map(([key, value]) => `${key}=${value}\n`)
    .sort()
    .join("");
}

/**
 * Eight hex digits that change with the recipe, for the name of a download that is built: package, command, toolchain and
 * the settings that shape the result.
 */
export function recipeDigest(build: PlanBuild): string {
  const { package: what, output, goRoot, keepSources = false } = build;
  const recipe = JSON.stringify([what, output, goRoot, keepSources, shapingEnvironment(build)]);
  return createHash("sha256").update(recipe).digest("hex").slice(0, 8);
}
