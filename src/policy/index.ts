export { fleetPolicies, fleetPolicyPack } from "./pack";
