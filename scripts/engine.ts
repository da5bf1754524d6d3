/** Finds the engine that tests use, or builds it: some minutes, once per machine. */
import { testEngine } from "../test/support/engine";

testEngine().then(
  ({ version, origin }) => console.log(`engine: Pulumi CLI ${version}, from: ${origin}`),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
);
