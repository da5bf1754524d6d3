import { readFileSync, statSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { fromUntrusted } from "../report/post/body";
import { connect } from "../report/post/connect";
import { ciContext, POST_FORGES, TOKENS, type CiContext, type PostForge } from "../report/post/environment";
import { findPull } from "../report/post/github";
import { postReport, type Posted } from "../report/post/sticky";

interface PostArgs {
  readonly report: string;
  readonly cut?: string;
  readonly forge: PostForge;
  readonly name: string;
  readonly api?: string;
  readonly repo?: string;
  readonly pull?: string;
  readonly head?: string;
  readonly commit?: string;
  readonly run?: string;
  readonly author?: string;
  readonly untrusted?: boolean;
  readonly wait: number;
}

/** Far more than any forge takes; an artifact of somebody else's run may be anything. */
const LARGEST = 4 * 1024 * 1024;

/** `gofleet post`: puts a report on its pull request as one comment that is kept up to date. */
export function postCommand(): Command {
  return new Command("post")
    .summary("put a report on its pull request, as one comment that is updated")
    .description(
      "Posts a Markdown report as a comment of the pull request, found again by a hidden marker and its author, and " +
        "updated in place. Of two runs at once the newer one stays. What CI says of itself is taken from there; the " +
        `token comes from the environment only: ${Object.entries(TOKENS)
          .map(([forge, names]) => `${names.join(" or ")} (${forge})`)
          .join(", ")}.`,
    )
    .requiredOption("--report <file>", "the report, Markdown")
    .addOption(new Option("--forge <name>", "where to").choices(POST_FORGES).makeOptionMandatory())
    .option("--cut <file>", "a shorter report, for a forge that refuses the whole")
    .option("--name <text>", "tells this report from others on the pull request", "gofleet")
    .option("--repo <name>", "owner/name; project id for gitlab; project/repository for azure-devops")
    .option("--pull <number>", "the pull or merge request")
    .option("--head <owner:branch>", "github: the open pull request of that branch, at --commit")
    .option("--commit <sha>", "the commit that was previewed")
    .option("--run <number>", "number of the run, or number.attempt: a newer run's report stays")
    .option("--author <name>", "who posts, where the token may not ask: login, id or uuid")
    .option("--untrusted", "the report was made by code that nobody has reviewed, such as a fork's")
    .option("--api <url>", "base URL of the forge's API")
    .option("--wait <seconds>", "most seconds to wait for rate limits, in all", seconds, 120)
    .action(post);
}

async function post(args: PostArgs): Promise<void> {
  const { forge, name, author } = args;
  const context = withArgs(
    ciContext(forge, process.env, (path) => readFileSync(path, "utf8")),
    args,
  );
  const credentials = { token: context.token, scheme: context.scheme, patience: args.wait };
  const pull = args.head === undefined ? context.pull : await findPull(context, args.head, context.commit, credentials);
  if (pull === undefined) return console.log("the pull request has a newer commit, whose own run reports on it");
  if (pull === "") throw wrong("--pull", "this job is of no pull request: give its number, or --head for github");
  const read = (path: string): string => (args.untrusted === true ? fromUntrusted(text(path)) : text(path));
  const posted = await postReport(connect(forge, { ...context, pull, author }, credentials), {
    name,
    run: context.run,
    commit: context.commit,
    report: read(args.report),
    ...(args.cut !== undefined && { cut: read(args.cut) }),
  });
  console.log(sentence(posted, pull));
}

/** The job's own word, and what the command line says instead of it. */
function withArgs(context: CiContext, args: PostArgs): CiContext {
  const found: CiContext = {
    ...context,
    api: args.api ?? context.api,
    repository: args.repo ?? context.repository,
    pull: args.pull ?? context.pull,
    commit: args.commit ?? context.commit,
    run: args.run === undefined ? context.run : parseRun(args.run),
  };
  const names = TOKENS[args.forge];
  if (found.token === "") throw wrong("token", `none in the environment: set ${names.join(" or ")}`);
  if (found.api === "") throw wrong("--api", "the base URL of the forge's API is not in the environment");
  if (!/^[\w.%-]+(\/[\w. %-]+)*$/.test(found.repository))
    throw wrong("--repo", `"${found.repository}" is no repository`);
  if (!/^\d*$/.test(found.pull)) throw wrong("--pull", `"${found.pull}" is no number`);
  if (!/^[0-9a-f]{7,64}$/i.test(found.commit)) throw wrong("--commit", `"${found.commit}" is no commit's SHA`);
  return { ...found, commit: found.commit.toLowerCase() };
}

function parseRun(given: string): CiContext["run"] {
  const [, number, attempt = "1"] = /^(\d+)(?:\.(\d+))?$/.exec(given) ?? [];
  if (number === undefined) throw wrong("--run", `"${given}" is no number`);
  return { number: Number(number), attempt: Number(attempt) };
}

function text(path: string): string {
  if (statSync(path).size > LARGEST) throw wrong(path, `larger than ${LARGEST} bytes: that is no report`);
  return readFileSync(path, "utf8");
}

function seconds(given: string): number {
  if (!/^\d+$/.test(given)) throw new InvalidArgumentError("whole seconds");
  return Number(given);
}

function wrong(what: string, why: string): Error {
  return new Error(`${what}: ${why}`);
}

function sentence({ outcome, cut, stale }: Posted, pull: string): string {
  const about = {
    created: `the report is on #${pull}`,
    updated: `the report on #${pull} is up to date`,
    unchanged: `the report on #${pull} says this already`,
    superseded: `#${pull} has the report of a newer run; it stays`,
  }[outcome];
  return `${about}${cut ? "; the shorter one, for the whole was refused" : ""}${stale > 0 ? `; ${stale} marked out of date` : ""}`;
}
