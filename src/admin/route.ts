import type { Answer } from './answer.ts';
import type { Caller } from './authorizer.ts';
import type { JsonSchema } from './schemas.ts';

/** One method of a resource. HEAD is GET without a body and not listed. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `:name` is one segment. */
  readonly path: string;
  /** `open`: for everybody who reaches the port; else the least role. */
  readonly access: 'open' | 'read' | 'operate';
  readonly summary: string;
  /** Of the JSON body; without one the body is empty, or an object without members. */
  readonly body?: { readonly schema: JsonSchema; readonly description: string };
  readonly responses: Readonly<Record<number, RouteResponse>>;
  handle(request: RouteRequest): Answer | Promise<Answer>;
}

export interface RouteRequest {
  readonly parameters: Readonly<Record<string, string>>;
  /** As `Route.body` describes it; an empty object where nothing was sent. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly caller: Caller;
  /** The header Accept; empty where there is none. */
  readonly accept: string;
}

export interface RouteResponse {
  readonly description: string;
  /** Several where Accept or the path decides. */
  readonly contentType: string | readonly string[];
  /** Name of a schema of the OpenAPI document; absent for text. */
  readonly schema?: 'Health' | 'Source' | 'SourceList' | 'Snapshot' | 'SnapshotOrNull' | 'Problem' | 'Object';
}
