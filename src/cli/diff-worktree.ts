import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, normalize, relative, sep } from "node:path";

/** A project as it was at a commit. */
export interface OldProject {
  /** The project's directory there. */
  readonly project: string;
  readonly commit: string;
  remove(): void;
}

/**
 * Checks a commit out beside the working tree. Packages are the working tree's own, by links, and so is what it has built
 * of itself for programs inside it: neither is in git, nothing is installed and nothing is built.
 * @throws Error where the project is in no git repository, or the commit is not known
 */
export function checkOut(project: string, ref: string): OldProject {
  const root = git(project, ["rev-parse", "--show-toplevel"], `${project} is in no git repository`).trim();
  const commit = git(
    root,
    ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`],
    `no commit "${ref}" here; in CI, fetch it first: git fetch origin ${ref}`,
  ).trim();
  const folder = mkdtempSync(join(tmpdir(), "gofleet-diff-"));
  const tree = join(folder, "tree");
  const remove = (): void => {
    spawnSync("git", ["worktree", "remove", "--force", tree], { cwd: root });
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    // Hooks of the repository are not for a look at an old commit.
    const add = ["-c", "core.hooksPath=/dev/null", "worktree", "add", "--detach", tree, commit];
    git(root, add, `${commit} cannot be checked out`);
    const inside = relative(realpathSync(root), realpathSync(project));
    for (const folderOf of new Set(["", inside])) {
      for (const name of ["node_modules", ...builtFolder(join(root, folderOf))]) {
        const ours = join(root, folderOf, name);
        const link = join(tree, folderOf, name);
        if (existsSync(ours) && existsSync(join(tree, folderOf)) && !existsSync(link)) symlinkSync(ours, link);
      }
    }
    return { project: join(tree, inside), commit, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** `dist`, where a package's entry point is `dist/index.js`: a program inside the package may require it by its name. */
function builtFolder(folder: string): string[] {
  const manifest = join(folder, "package.json");
  if (!existsSync(manifest)) return [];
  const { main } = JSON.parse(readFileSync(manifest, "utf8")) as { main?: string };
  const [first = "", second] = normalize(main ?? "").split(sep);
  return second === undefined || first === ".." || first === "" ? [] : [first];
}

function git(cwd: string, args: readonly string[], problem: string): string {
  const { status, stdout, stderr, error } = spawnSync("git", args, { cwd, encoding: "utf8" });
  if (error !== undefined) throw new Error(`git is needed and does not start: ${error.message}`);
  if (status !== 0) throw new Error([problem, stderr.trim()].filter((each) => each !== "").join(": "));
  return stdout;
}
