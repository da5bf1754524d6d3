import type { ExecFileException } from "node:child_process";
import { isFields, type Fields } from "../model/check";

/** Why a go command gave no answer: in its own first line, where it said something. */
export function why(error: ExecFileException, stderr: string, timeout: number): string {
  if (error.code === "ENOENT") return "there is no go command on PATH";
  if (error.killed) return `go took longer than ${timeout / 60_000} minutes`;
  return firstLine(stderr) || firstLine(error.message);
}

export function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0] ?? "";
}

/** The go command prints JSON objects one after another, each closed by a brace at the start of a line. */
export function jsonObjects(text: string): readonly Fields[] {
  return text
    .split(/^(?<=^}\n)/m)
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part): unknown => JSON.parse(part))
    .filter(isFields);
}
