/** What all benchmarks share: paired runs, medians, and the one line they print. */

/** Figures by name; seconds, bytes or plain ratios. `null`: not measured, and stderr says why. */
export type Figures = Readonly<Record<string, number | null>>;

/** Says how it goes, on stderr: stdout belongs to the result. */
export function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Seconds that `work` takes. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - began) / 1e9;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new Error("a median needs at least one value");
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** Seconds of each round, by contender. */
export type Rounds<Name extends string> = Readonly<Record<Name, readonly number[]>>;

/** How often contenders are timed: so many rounds after one that does not count, or all that fit into some seconds. */
export type Repeat = number | { readonly within: number; readonly least: number };

/**
 * Times contenders in rounds, each once per round, in turned order every other round: what else the machine does
 * meanwhile hits all of them alike.
 * @param contenders work by name; called with the number of the round, 0 being one that does not count
 */
export async function paired<Name extends string>(
  repeat: Repeat,
  contenders: Readonly<Record<Name, (round: number) => Promise<unknown>>>,
): Promise<Rounds<Name>> {
  const names = Object.keys(contenders) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  let spent = 0;
  const another = (round: number) =>
    typeof repeat === "number"
      ? round <= repeat
      : round <= repeat.least || spent + spent / (round - 1) <= repeat.within;
  for (let round = typeof repeat === "number" ? 0 : 1; another(round); round++) {
    const said: string[] = [];
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const time = await seconds(() => contenders[name](round));
      spent += time;
      if (round > 0) times[name].push(time);
      said.push(`${name} ${time.toFixed(3)} s`);
    }
    progress(`  ${round === 0 ? "warm-up" : `round ${round}`}: ${said.join(", ")}`);
  }
  return times;
}

/** The median of the rounds' own ratios. */
export function ratio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((time, round) => time / (theirs[round] ?? Number.NaN)));
}

/** Prints the result line; call it once, at the end. */
export function report(name: string, figures: Figures): void {
  const rounded = Object.entries(figures).map(([key, value]) => [
    key,
    value === null ? null : Number(value.toPrecision(4)),
  ]);
  process.stdout.write(`${JSON.stringify({ name, figures: Object.fromEntries(rounded) })}\n`);
}
