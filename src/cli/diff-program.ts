import { messageOf } from "../model/thrown";
import type { ProgramOptions } from "./program";
import { runProgram } from "./program";

// A process of its own for one state of a program: programs are modules, and a process loads a module once. It is told
// what to run and answers over its channel, so that whatever the program prints is not taken for the answer.
process.once("message", (options: ProgramOptions) => {
  void runProgram(options)
    .then(
      (releases) => ({ releases }),
      (error: unknown) => ({ error: messageOf(error) }),
    )
    .then((answer) => {
      process.send?.(answer, () => process.exit(0));
    });
});
