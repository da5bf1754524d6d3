import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

/** A project as it was at a commit. */
export interface OldProject {
  /** The project's directory there. */
  readonly project: string;
  readonly commit: string;
  remove(): void;
}

/**
 * Checks a commit out beside the working tree. Packages are the working tree's own, by links: they are not in git, and
 * nothing is installed.
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
      const packages = join(root, folderOf, "node_modules");
      const link = join(tree, folderOf, "node_modules");
      if (existsSync(packages) && existsSync(join(tree, folderOf)) && !existsSync(link)) symlinkSync(packages, link);
    }
    return { project: join(tree, inside), commit, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function git(cwd: string, args: readonly string[], problem: string): string {
  const { status, stdout, stderr, error } = spawnSync("git", args, { cwd, encoding: "utf8" });
  if (error !== undefined) throw new Error(`git is needed and does not start: ${error.message}`);
  if (status !== 0) throw new Error([problem, stderr.trim()].filter((each) => each !== "").join(": "));
  return stdout;
}
