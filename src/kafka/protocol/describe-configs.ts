import type { Api } from './api.ts';

export interface DescribeConfigsRequest {
  readonly topic: string;
  readonly names: readonly string[];
}

export interface DescribeConfigsResponse {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  /** Effective values, broker defaults included. */
  readonly values: ReadonlyMap<string, string | null>;
}

const RESOURCE_TOPIC = 2;

/** Settings of one topic. */
export const describeConfigs: Api<DescribeConfigsRequest, DescribeConfigsResponse> = {
  name: 'DescribeConfigs',
  key: 32,
  minVersion: 4,
  maxVersion: 4,
  flexible: true,
  encode(out, request) {
    out.array([request], (resource) => {
      out.int8(RESOURCE_TOPIC);
      out.string(resource.topic);
      out.array(resource.names, (name) => out.string(name));
      out.noTags();
    });
    out.boolean(false);
    out.boolean(false);
    out.noTags();
  },
  decode(input) {
    input.int32();
    const values = new Map<string, string | null>();
    let errorCode = 0;
    let errorMessage: string | null = null;
    input.array(() => {
      errorCode = input.int16();
      errorMessage = input.nullableString();
      input.int8();
      input.string();
      input.array(() => {
        const name = input.string();
        values.set(name, input.nullableString());
        input.boolean();
        input.int8();
        input.boolean();
        input.array(() => {
          input.string();
          input.nullableString();
          input.int8();
          input.tags();
        });
        input.int8();
        input.nullableString();
        input.tags();
      });
      input.tags();
    });
    return { errorCode, errorMessage, values };
  },
};
