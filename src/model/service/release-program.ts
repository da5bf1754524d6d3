import { readBuildInformation } from "./release-buildinfo";
import type { FoundIdentity } from "./release-identity";

/** A program's bytes, wherever they are; only headers and build information are read. */
export interface ProgramBytes {
  readonly size: number;
  /** Fewer bytes where the program ends before. */
  read(from: number, count: number): Buffer;
}

/** What a program is. */
export interface FoundProgram {
  readonly arch: "amd64" | "arm64";
  /** Of a dynamically linked one: the loader that a host must have, `/lib64/ld-linux-x86-64.so.2`. */
  readonly loader?: string;
  readonly identity: FoundIdentity;
}

/** The bytes are no program for a host; the message goes after the program's name. */
export class NoProgram extends Error {}

const ARCHITECTURES: Readonly<Record<number, FoundProgram["arch"]>> = { 62: "amd64", 183: "arm64" };
const EXECUTABLE = 2;
const SHARED_OR_PIE = 3;
const INTERPRETER = 3;
const SECTION = ".go.buildinfo";

/**
 * Reads what the script of render/service/identity reads on a host, with the same words for what is wrong.
 * @throws NoProgram
 * @see https://refspecs.linuxfoundation.org/elf/elf.pdf
 */
export function readProgram(bytes: ProgramBytes): FoundProgram {
  const header = bytes.read(0, 64);
  if (!begins(header, "7f454c46")) throw new NoProgram(whatElse(header));
  if (header.length < 64) throw new NoProgram(`is cut off: it has ${header.length} bytes`);
  const arch = ARCHITECTURES[header.readUInt16LE(18)];
  const is64LittleEndian = header[4] === 2 && header[5] === 1;
  if (arch === undefined || !is64LittleEndian) {
    const number = header.readUInt16LE(18);
    throw new NoProgram(`is for ${is64LittleEndian ? `machine number ${number}` : "another kind of machine"}`);
  }
  const type = header.readUInt16LE(16);
  if (type !== EXECUTABLE && type !== SHARED_OR_PIE) {
    throw new NoProgram(`is no program that can be run (ELF type ${type})`);
  }
  const loader = findLoader(bytes, header);
  return { arch, ...(loader !== undefined && { loader }), identity: readBuildInformation(section(bytes, header)) };
}

/** All that is to be loaded must be there. */
function findLoader(bytes: ProgramBytes, header: Buffer): string | undefined {
  let loader: string | undefined;
  for (const entry of table(bytes, header, { offset: 32, size: 54, cut: "is cut off in its headers" })) {
    const [offset, count] = [long(entry, 8), long(entry, 32)];
    if (offset + count > bytes.size) {
      throw new NoProgram(`is cut off: it has ${bytes.size} bytes and needs ${offset + count}`);
    }
    if (entry.readUInt32LE(0) === INTERPRETER && count <= 4096) loader = word(bytes.read(offset, count), 0);
  }
  return loader;
}

/** The section with the build information; nothing where there is none. */
function section(bytes: ProgramBytes, header: Buffer): Buffer {
  const nothing = Buffer.alloc(0);
  if (long(header, 40) === 0) return nothing;
  const sections = table(bytes, header, { offset: 40, size: 58, cut: "is cut off: its last part is missing" });
  const names = sections[header.readUInt16LE(62)];
  if (names === undefined) return nothing;
  const text = bytes.read(long(names, 24), long(names, 32));
  const found = sections.find((entry) => word(text, entry.readUInt32LE(0)) === SECTION);
  if (found === undefined) return nothing;
  const content = bytes.read(long(found, 24), long(found, 32));
  if (content.length < long(found, 32)) throw new NoProgram("is cut off in its build information");
  return content;
}

/** The entries of a table, from where the header says that it is; size and count of entries follow one another. */
function table(
  bytes: ProgramBytes,
  header: Buffer,
  at: { readonly offset: number; readonly size: number; readonly cut: string },
): Buffer[] {
  const [size, count] = [header.readUInt16LE(at.size), header.readUInt16LE(at.size + 2)];
  const all = bytes.read(long(header, at.offset), size * count);
  if (all.length < size * count) throw new NoProgram(at.cut);
  return size < 56 ? [] : Array.from({ length: count }, (_, index) => all.subarray(index * size, (index + 1) * size));
}

/** No file has as many bytes as a number that is not exact. */
function long(from: Buffer, offset: number): number {
  return Number(from.readBigUInt64LE(offset));
}

function word(from: Buffer, start: number): string {
  const end = from.indexOf(0, start);
  return from.toString("latin1", start, end === -1 ? from.length : end);
}

function begins(bytes: Buffer, hex: string): boolean {
  return bytes.subarray(0, hex.length / 2).equals(Buffer.from(hex, "hex"));
}

function whatElse(head: Buffer): string {
  if (head.length === 0) return "is empty";
  if (begins(head, "1f8b")) return "is a gzip file: for a .tar.gz, program says where the program is in it";
  if (begins(head, "504b0304")) return "is a zip file, not a program";
  if (begins(head, "4d5a")) return "is a program for Windows, not for Linux";
  if (begins(head, "cffaedfe") || begins(head, "cafebabe")) return "is a program for macOS, not for Linux";
  const shown = word(head.subarray(0, 40), 0).replace(/[^\t\x20-\x7e]/g, "?");
  return `is no program for Linux (ELF): it begins with "${shown}"`;
}
