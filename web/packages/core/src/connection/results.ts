/** What the parts of the SDK see of the connection: requests, and the result that answers each. */

import type { Empty, ResultOf as Results } from "@rostrum/protocol";
import type { RequestBody } from "./requests";

export type ResultOf<Type extends RequestBody["type"]> = Type extends keyof Results ? Results[Type] : Empty;

export interface Signal {
  request<Body extends RequestBody>(body: Body): Promise<ResultOf<Body["type"]>>;
}
