import type { FindOptions } from "./find";
import type { ToolchainSource } from "./toolchain";

export async function fetchToolchain(source: ToolchainSource, staging: string, options: FindOptions): Promise<void> {
  throw new Error(`not yet ${source.version} ${staging} ${options.projectDir}`);
}
