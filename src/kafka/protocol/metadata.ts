import type { Api } from './api.ts';

export interface MetadataRequest {
  /** An empty list asks for the brokers only. */
  readonly topics: readonly string[];
}

export interface BrokerAddress {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

export interface PartitionMetadata {
  readonly errorCode: number;
  readonly partition: number;
  /** -1 while there is none. */
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

export interface TopicMetadata {
  readonly errorCode: number;
  readonly name: string;
  /** '' where the broker is too old to have topic ids (before 2.8). */
  readonly topicId: string;
  readonly partitions: readonly PartitionMetadata[];
}

export interface MetadataResponse {
  readonly brokers: readonly BrokerAddress[];
  readonly controllerId: number;
  readonly topics: readonly TopicMetadata[];
}

/** Never lets the broker create a topic on the side. */
export const metadata: Api<MetadataRequest, MetadataResponse> = {
  name: 'Metadata',
  key: 3,
  minVersion: 9,
  maxVersion: 12,
  flexible: true,
  encode(out, request, version) {
    out.array(request.topics, (name) => {
      if (version >= 10) out.zeroUuid();
      out.string(name);
      out.noTags();
    });
    out.boolean(false);
    if (version <= 10) out.boolean(false);
    out.boolean(false);
    out.noTags();
  },
  decode(input, version) {
    input.int32();
    const brokers = input.array(() => {
      const broker = { nodeId: input.int32(), host: input.string(), port: input.int32() };
      input.nullableString();
      input.tags();
      return broker;
    });
    input.nullableString();
    const controllerId = input.int32();
    const topics = input.array(() => {
      const errorCode = input.int16();
      const name = input.nullableString() ?? '';
      const topicId = version >= 10 ? input.uuid() : '';
      input.boolean();
      const partitions = input.array(() => {
        const partition = {
          errorCode: input.int16(),
          partition: input.int32(),
          leaderId: input.int32(),
          leaderEpoch: input.int32(),
        };
        for (let list = 0; list < 3; list++) input.array(() => input.int32());
        input.tags();
        return partition;
      });
      input.int32();
      input.tags();
      return { errorCode, name, topicId, partitions };
    });
    return { brokers, controllerId, topics };
  },
};
