import { spawnSync } from "node:child_process";
import { snapshotId } from "../model/snapshot";

/** What a release was made from, kept beside it on the hosts; it is no part of the release. */
export interface Origin {
  /** The commit of the directory's repository. */
  readonly commit?: string;
  /** Its name as a snapshot; none for a work tree with changes. */
  readonly snapshot?: string;
}

const ANSWER_WITHIN = 5000;
const known = new Map<string, Origin>();

/** Asks git about the program's directory, once; nothing where there is no repository or no git. */
export function originOf(directory: string, env: NodeJS.ProcessEnv): Origin {
  const found = known.get(directory) ?? ask(directory, env);
  known.set(directory, found);
  return found;
}

function ask(cwd: string, env: NodeJS.ProcessEnv): Origin {
  const git = (...args: string[]): string => {
    const { status, stdout } = spawnSync("git", args, { cwd, env, encoding: "utf8", timeout: ANSWER_WITHIN });
    return status === 0 ? stdout.trim() : "";
  };
  const [commit = "", commitTime = ""] = git("log", "-1", "--no-show-signature", "--format=%H %cI").split(" ");
  if (!/^[0-9a-f]{40,64}$/.test(commit)) return {};
  const describe = git("describe", "--tags", "--long", "--always", "--dirty", "--abbrev=12");
  const snapshot = snapshotId({ env, describe, commitTime }).value;
  return { commit, ...(snapshot === undefined ? {} : { snapshot }) };
}
