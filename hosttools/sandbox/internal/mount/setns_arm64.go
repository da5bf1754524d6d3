package mount

// setns is the number of setns(2), which the standard library does not name.
const setns = 268
