// Property tests draw the same values in each run, so that no run fails by chance what the one before it passed. To look
// for new faults: GOFLEET_SEED=random; a failure prints the seed to give here again.
"use strict";
const { configureGlobal } = require("fast-check");

const given = process.env["GOFLEET_SEED"] ?? "1";
if (given !== "random") configureGlobal({ seed: Number(given) });
