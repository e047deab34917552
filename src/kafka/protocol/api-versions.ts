import type { Api } from './api.ts';

export interface ApiVersionsRequest {
  readonly softwareName: string;
  readonly softwareVersion: string;
}

export interface ApiVersionsResponse {
  readonly errorCode: number;
  readonly ranges: readonly { readonly key: number; readonly min: number; readonly max: number }[];
  /** Finalised cluster features such as `transaction.version`. */
  readonly features: ReadonlyMap<string, number>;
}

export const apiVersions: Api<ApiVersionsRequest, ApiVersionsResponse> = {
  name: 'ApiVersions',
  key: 18,
  minVersion: 3,
  maxVersion: 3,
  flexible: true,
  encode(out, request) {
    out.string(request.softwareName);
    out.string(request.softwareVersion);
    out.noTags();
  },
  decode(input) {
    const errorCode = input.int16();
    const features = new Map<string, number>();
    // A broker that does not know version 3 answers in version 0, which has nothing that we could use.
    if (errorCode !== 0) return { errorCode, ranges: [], features };
    const ranges = input.array(() => {
      const range = { key: input.int16(), min: input.int16(), max: input.int16() };
      input.tags();
      return range;
    });
    input.int32();
    input.tags((tag, value) => {
      if (tag !== 2) return;
      value.array(() => {
        const name = value.string();
        features.set(name, value.int16());
        value.int16();
        value.tags();
      });
    });
    return { errorCode, ranges, features };
  },
};
