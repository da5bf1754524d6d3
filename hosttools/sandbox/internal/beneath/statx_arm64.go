package beneath

// statx is the number of statx(2), which the standard library does not name.
const statx = 291
