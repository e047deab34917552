import type { Api } from './api.ts';

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  /** -1: the broker's default. */
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface CreateTopicsRequest {
  readonly topics: readonly NewTopic[];
  readonly timeoutMs: number;
}

export interface CreateTopicsResponse {
  readonly topics: readonly {
    readonly name: string;
    readonly errorCode: number;
    readonly errorMessage: string | null;
  }[];
}

export const createTopics: Api<CreateTopicsRequest, CreateTopicsResponse> = {
  name: 'CreateTopics',
  key: 19,
  minVersion: 5,
  maxVersion: 7,
  flexible: true,
  encode(out, request) {
    out.array(request.topics, (topic) => {
      out.string(topic.name);
      out.int32(topic.partitions);
      out.int16(topic.replicationFactor);
      out.array([], () => {});
      out.array(Object.entries(topic.config), ([name, value]) => {
        out.string(name);
        out.string(value);
        out.noTags();
      });
      out.noTags();
    });
    out.int32(request.timeoutMs);
    out.boolean(false);
    out.noTags();
  },
  decode(input, version) {
    input.int32();
    const topics = input.array(() => {
      const name = input.string();
      if (version >= 7) input.uuid();
      const errorCode = input.int16();
      const errorMessage = input.nullableString();
      input.int32();
      input.int16();
      input.array(() => {
        input.string();
        input.nullableString();
        input.boolean();
        input.int8();
        input.boolean();
        input.tags();
      });
      input.tags();
      return { name, errorCode, errorMessage };
    });
    return { topics };
  },
};
