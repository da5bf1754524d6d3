import { resolveToolchain, type GoToolchain } from "../../src/model/toolchain";
import { toolchainPaths, type ToolchainTexts } from "../../src/plan/toolchain";
import { goEnvFile } from "../../src/render/go-env-file";
import { pathProfile } from "../../src/render/profile";

/** The texts, where every value of the environment is known. */
export function toolchainTexts(toolchain: GoToolchain, component: string): ToolchainTexts<string> {
  const { goRoot } = toolchainPaths(toolchain, component);
  return { goEnv: goEnvFile(resolveToolchain(toolchain).env), profile: pathProfile(`${goRoot}/bin`) };
}
