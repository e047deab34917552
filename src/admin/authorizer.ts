import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from '../core/loopback.ts';
import type { HttpToken } from '../core/settings.ts';

/** Who asks, for the audit log: the name of a token, or `loopback` where none is needed. */
export interface Caller {
  readonly name: string;
  readonly role: HttpToken['role'];
}

/** What a request may do: the caller, or the HTTP status that refuses it. */
export type Verdict = { readonly caller: Caller } | { readonly status: 401 | 403; readonly detail: string };

const LOOPBACK: Caller = { name: 'loopback', role: 'operate' };
const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i;

/** Decides by bearer tokens (RFC 6750), of which only the hashes are known. Without tokens everybody may do everything. */
export class Authorizer {
  readonly #tokens: readonly { readonly caller: Caller; readonly digest: Buffer }[];

  constructor(tokens: readonly HttpToken[]) {
    this.#tokens = tokens.map(({ name, role, sha256 }) => ({
      caller: { name, role },
      digest: Buffer.from(sha256.reveal(), 'hex'),
    }));
  }

  /** Whether callers have to say who they are. */
  get needsToken(): boolean {
    return this.#tokens.length > 0;
  }

  /** @param authorization the header's value. */
  verdict(authorization: string | undefined, access: 'read' | 'operate'): Verdict {
    if (!this.needsToken) return { caller: LOOPBACK };
    const token = BEARER.exec(authorization ?? '')?.[1];
    if (token === undefined) {
      return { status: 401, detail: 'This needs a token: send the header Authorization: Bearer TOKEN.' };
    }
    const caller = this.#find(token);
    if (caller === null) return { status: 401, detail: 'This token is not one of http.tokens.' };
    if (access === 'operate' && caller.role !== 'operate') {
      return { status: 403, detail: `The token ${caller.name} may only read; this needs one of role operate.` };
    }
    return { caller };
  }

  /** In the same time whether and wherever it is found, and however much of it is right. */
  #find(token: string): Caller | null {
    const digest = createHash('sha256').update(token).digest();
    let found: Caller | null = null;
    for (const known of this.#tokens) if (timingSafeEqual(known.digest, digest)) found = known.caller;
    return found;
  }
}

/**
 * Whether a browser asks for a page of another site. Where no token is needed, a page anywhere could have its visitor's
 * browser talk to the loopback; the names of both sides, which pages cannot change, give it away, also after DNS
 * rebinding. Programs send neither header.
 */
export function isForeignPage({ headers }: { readonly headers: IncomingHttpHeaders }): boolean {
  const { origin, host = '' } = headers;
  const isBrowser = origin !== undefined || headers['sec-fetch-site'] !== undefined;
  if (!isBrowser) return false;
  const asked = URL.parse(`http://${host}`);
  if (asked === null || !isLoopback(asked.hostname)) return true;
  return origin !== undefined && URL.parse(origin)?.host !== asked.host;
}
