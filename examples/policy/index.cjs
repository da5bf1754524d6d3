"use strict";
const { fleetPolicyPack } = require("gofleet/policy");

fleetPolicyPack();
