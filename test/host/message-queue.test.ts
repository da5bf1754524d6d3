import { strict as assert } from "node:assert";
import { MessageQueue } from "../../src/host/message-queue";

describe("messages for the display", () => {
  /** Sends with pauses that would turn the order round. */
  function world() {
    const queue = new MessageQueue();
    const seen: string[] = [];
    const add = (text: string, live: boolean, milliseconds = 0): void =>
      queue.add({
        live,
        send: async () => {
          await new Promise((resolve) => setTimeout(resolve, milliseconds));
          seen.push(text);
        },
      });
    return { queue, seen, add };
  }

  it("arrive in the order they were said in, and are waited for", async () => {
    const { queue, seen, add } = world();
    [20, 10, 0].forEach((milliseconds, i) => add(`${i}`, true, milliseconds));
    await queue.sent();
    assert.deepEqual(seen, ["0", "1", "2"]);
    add("3", false);
    await queue.sent();
    assert.deepEqual(seen, ["0", "1", "2", "3"]);
    await queue.sent();
  });

  it("that are live give way when many wait, the others never do", async () => {
    const { queue, seen, add } = world();
    add("a warning", false, 5);
    for (let i = 0; i < 100; i++) add(`${i}`, true);
    add("another", false);
    await queue.sent();
    assert.equal(seen[0], "a warning");
    assert.equal(seen.at(-1), "another");
    assert.equal(seen.at(-2), "99", "the newest is seen");
    assert.ok(seen.length < 50, `${seen.length}`);
  });

  it("go on after one that fails", async () => {
    const { queue, seen, add } = world();
    queue.add({ live: false, send: () => Promise.reject(new Error("gone")) });
    add("next", false);
    await queue.sent();
    assert.deepEqual(seen, ["next"]);
  });
});
