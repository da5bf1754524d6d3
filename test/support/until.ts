/** Waits for something that happens by itself. The bound is for what never happens: a busy machine must not meet it. */
export async function until(condition: () => boolean, seconds = 120): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not so after ${seconds} s: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
