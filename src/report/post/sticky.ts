import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "./api";
import { compose, markStale } from "./body";
import type { Comment, Comments } from "./comments";
import { compareRuns, markerKey, parseMarker, sameCommit, type Marker, type Run } from "./marker";

/** A report to post. */
export interface Posting {
  /** What tells this report from others of the pull request: its stacks, say. */
  readonly name: string;
  readonly run: Run;
  /** The commit that was previewed. */
  readonly commit: string;
  /** Markdown. */
  readonly report: string;
  /** A shorter one, for a forge that refuses the whole. */
  readonly cut?: string;
}

export interface Posted {
  /** `superseded`: a newer run has posted, and its report stays. */
  readonly outcome: "created" | "updated" | "unchanged" | "superseded";
  /** Whether the shorter report was posted. */
  readonly cut: boolean;
  /** Other reports of ours that now say they are out of date. */
  readonly stale: number;
}

/** After a write: time for another run's write to land before we look who won. Seconds. */
const SETTLE = 2;
const LOOKS = 4;

type Mine = Comment & { readonly marker: Marker };

/**
 * Keeps one comment for the report on the pull request: found by its hidden marker and author, updated in place. Of runs
 * that post at the same time the newest wins, whatever the order in which their requests arrive, and one comment is left.
 */
export async function postReport(
  comments: Comments,
  posting: Posting,
  wait: (seconds: number) => Promise<void> = (seconds) => sleep(seconds * 1000),
): Promise<Posted> {
  const marker: Marker = { key: markerKey(posting.name), run: posting.run, commit: posting.commit };
  const head = await comments.head();
  const writer = new Writer(comments, marker, posting, sameCommit(head, posting.commit) ? undefined : head);
  const outcome = await settle(comments, writer, marker, wait);
  return { outcome, cut: writer.cut, stale: await markOthers(comments, marker.key, head) };
}

/** Writes, then looks whether it still stands: an older run's write may have come later, and two may have created one. */
async function settle(
  comments: Comments,
  writer: Writer,
  { key, run }: Marker,
  wait: (seconds: number) => Promise<void>,
): Promise<Posted["outcome"]> {
  let outcome: Posted["outcome"] = "unchanged";
  for (let look = 0; look < LOOKS; look += 1) {
    if (look > 0) await wait(SETTLE);
    const mine = byRun((await all(comments)).filter(({ marker }) => marker.key === key));
    const [newest, ...others] = mine;
    const age = newest === undefined ? -1 : compareRuns(newest.marker.run, run);
    if (age > 0) return "superseded";
    for (const { id } of others) await comments.remove(id);
    if (newest !== undefined && (look > 0 ? age === 0 : writer.wrote(newest.body))) return outcome;
    const done = await writer.write(newest?.id);
    outcome = outcome === "created" ? outcome : done;
  }
  throw new ApiError(`the comment was written ${LOOKS} times and is not there: does another program change it?`, 0);
}

/** Writes the report, or the shorter one once the whole was refused. */
class Writer {
  cut = false;

  constructor(
    private readonly comments: Comments,
    private readonly marker: Marker,
    private readonly posting: Posting,
    private readonly head: string | undefined,
  ) {}

  /** Whether that is the comment as this run writes it; forges trim what they store. */
  wrote(body: string): boolean {
    return body.replaceAll("\r\n", "\n").trim() === this.text();
  }

  async write(id: string | undefined): Promise<"created" | "updated"> {
    try {
      await (id === undefined ? this.comments.create(this.text()) : this.comments.update(id, this.text()));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // It may be there all the same: the next look tells.
      if (error.uncertain && id === undefined) return "created";
      if (!error.tooLong || this.cut) throw error;
      if (this.posting.cut === undefined) {
        const size = `${this.text().length} characters`;
        throw new ApiError(`${error.message}; it has ${size}: give a shorter report by --cut`, error.status);
      }
      this.cut = true;
      return this.write(id);
    }
    return id === undefined ? "created" : "updated";
  }

  private text(): string {
    const report = this.cut ? (this.posting.cut ?? "") : this.posting.report;
    return compose(this.marker, report, this.comments.style, this.head);
  }
}

/** Reports of ours about an older commit say so. */
async function markOthers(comments: Comments, key: string, head: string): Promise<number> {
  let marked = 0;
  for (const { id, body, marker } of await all(comments)) {
    if (marker.key === key || sameCommit(marker.commit, head)) continue;
    const stale = markStale(body, head);
    if (stale === undefined) continue;
    await comments.update(id, stale);
    marked += 1;
  }
  return marked;
}

async function all(comments: Comments): Promise<Mine[]> {
  return (await comments.list()).flatMap((each) => {
    const marker = each.own ? parseMarker(each.body) : undefined;
    return marker === undefined ? [] : [{ ...each, marker }];
  });
}

/** The newest run first; of one run's comments the oldest first. */
function byRun(mine: readonly Mine[]): Mine[] {
  return [...mine].sort((a, b) => compareRuns(b.marker.run, a.marker.run));
}
