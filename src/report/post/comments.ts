import type { MarkerStyle } from "./marker";

/** A comment of a pull request. */
export interface Comment {
  readonly id: string;
  readonly body: string;
  /** Written by the account that posts now. */
  readonly own: boolean;
}

/** The comments of one pull request on some forge. */
export interface Comments {
  readonly style: MarkerStyle;
  /** All of them, every page, the oldest first. */
  list(): Promise<readonly Comment[]>;
  create(body: string): Promise<void>;
  update(id: string, body: string): Promise<void>;
  /** Succeeds also where it is gone already. */
  remove(id: string): Promise<void>;
  /** The newest commit of the pull request. */
  head(): Promise<string>;
}

/** Most pages that are read: a server whose last page names itself as the next one would keep us for ever. */
export const MOST_PAGES = 200;

/** Where a forge's API is and which pull request is meant. */
export interface Place {
  /** Base URL of the API. */
  readonly api: string;
  /** `owner/name`; a number or path of the project for GitLab; `project/repository` for Azure DevOps. */
  readonly repository: string;
  /** Number of the pull or merge request. */
  readonly pull: string;
  /** The account's own name or id, where the token may not ask for it. */
  readonly author?: string;
}
