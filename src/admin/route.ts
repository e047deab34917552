import type { Answer } from './answer.ts';

/** One resource. Only GET exists (and HEAD, which is GET without a body). */
export interface Route {
  /** `:name` is one segment. */
  readonly path: string;
  readonly summary: string;
  readonly responses: Readonly<Record<number, RouteResponse>>;
  handle(parameters: Readonly<Record<string, string>>): Answer | Promise<Answer>;
}

export interface RouteResponse {
  readonly description: string;
  readonly contentType: string;
  /** Name of a schema of the OpenAPI document; absent for text. */
  readonly schema?: 'Health' | 'Source' | 'SourceList' | 'Problem' | 'Object';
}
