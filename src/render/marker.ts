/** The first line of every file that gofleet writes, after `#!` or in a format's own comment. */
export const MARKER = "# Written by gofleet; change the program that declares it, not this file.";
