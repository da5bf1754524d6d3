import { azureDevops } from "./azure-devops";
import { bitbucket } from "./bitbucket";
import type { Comments, Place } from "./comments";
import type { CiContext, PostForge } from "./environment";
import { github, type Credentials } from "./github";
import { gitlab } from "./gitlab";

/** The comments of a pull request on that forge. */
export function connect(
  forge: PostForge,
  place: Place,
  credentials: Credentials & Pick<CiContext, "scheme">,
): Comments {
  switch (forge) {
    case "github":
      return github(place, credentials);
    case "gitlab":
      return gitlab(place, credentials);
    case "azure-devops":
      return azureDevops(place, credentials);
    case "bitbucket":
      return bitbucket(place, credentials);
  }
}
