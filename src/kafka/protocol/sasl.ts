import type { Api } from './api.ts';

export interface SaslHandshakeResponse {
  readonly errorCode: number;
  readonly mechanisms: readonly string[];
}

/** Names the mechanism; request and response never became flexible. */
export const saslHandshake: Api<{ readonly mechanism: string }, SaslHandshakeResponse> = {
  name: 'SaslHandshake',
  key: 17,
  minVersion: 1,
  maxVersion: 1,
  flexible: false,
  encode(out, request) {
    out.legacyNullableString(request.mechanism);
  },
  decode(input) {
    return { errorCode: input.int16(), mechanisms: input.legacyArray(() => input.legacyNullableString() ?? '') };
  },
};

export interface SaslAuthenticateResponse {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly bytes: Buffer;
  /** How long the broker accepts this session; 0: for ever. */
  readonly sessionLifetimeMs: number;
}

export const saslAuthenticate: Api<{ readonly bytes: Uint8Array }, SaslAuthenticateResponse> = {
  name: 'SaslAuthenticate',
  key: 36,
  minVersion: 2,
  maxVersion: 2,
  flexible: true,
  encode(out, request) {
    out.bytes(request.bytes);
    out.noTags();
  },
  decode(input) {
    return {
      errorCode: input.int16(),
      errorMessage: input.nullableString(),
      bytes: input.nullableBytes() ?? Buffer.alloc(0),
      // A token without an end may have one near 2^63.
      sessionLifetimeMs: Math.max(0, Math.min(Number(input.int64()), Number.MAX_SAFE_INTEGER)),
    };
  },
};
