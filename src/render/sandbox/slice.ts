import type { Limits } from "../../model/sandbox/limits";
import { literal, text, unitFile } from "../unit-file";

/**
 * The slice of one slot, below that of all. What a job left in a build cache in memory stays counted here when the job's own
 * cgroup is gone, so that no slot's cache is paid for by another slot's jobs.
 */
export function slotSlice(component: string, number: number, { slot }: Limits): string {
  return unitFile(
    ["Unit", { Description: text(`Build slot ${number} of ${component}`) }],
    ["Slice", { MemoryAccounting: literal("yes"), MemoryMax: literal(String(slot.memoryBytes)) }],
  );
}

/** The slice of all slots: what they may use together. See systemd.resource-control(5). */
export function sandboxSlice(component: string, limits: Limits): string {
  const { memoryBytes, cpus, tasks, cpuWeight, ioWeight } = limits;
  return unitFile(
    ["Unit", { Description: text(`Build slots of ${component}`) }],
    [
      "Slice",
      {
        MemoryAccounting: literal("yes"),
        MemoryMax: literal(String(memoryBytes)),
        // Memory that goes to a swap file is a disk that everybody waits for.
        MemorySwapMax: literal("0"),
        CPUAccounting: literal("yes"),
        CPUQuota: cpus === undefined ? undefined : literal(`${Math.round(cpus * 100)}%`),
        CPUWeight: literal(String(cpuWeight)),
        IOAccounting: literal("yes"),
        IOWeight: literal(String(ioWeight)),
        TasksAccounting: literal("yes"),
        TasksMax: literal(String(tasks)),
      },
    ],
  );
}
