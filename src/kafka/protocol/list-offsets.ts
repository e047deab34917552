import type { Api } from './api.ts';

export interface ListOffsetsRequest {
  /** `end` when missing. `committed`: the first offset that an open transaction may still hold back. */
  readonly at?: 'start' | 'end' | 'committed';
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly { readonly partition: number; readonly leaderEpoch: number }[];
  }[];
}

export interface ListOffsetsResponse {
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly errorCode: number;
    /** At the end: the next offset that will be written. At the start: the first record still in the log. */
    readonly offset: number;
  }[];
}

const LATEST = -1n;
const EARLIEST = -2n;

/** The start or the end of each partition; only its leader answers. */
export const listOffsets: Api<ListOffsetsRequest, ListOffsetsResponse> = {
  name: 'ListOffsets',
  key: 2,
  minVersion: 6,
  maxVersion: 7,
  flexible: true,
  encode(out, request) {
    out.int32(-1);
    out.int8(request.at === 'committed' ? 1 : 0);
    const time = request.at === 'start' ? EARLIEST : LATEST;
    out.array(request.topics, (topic) => {
      out.string(topic.name);
      out.array(topic.partitions, (partition) => {
        out.int32(partition.partition);
        out.int32(partition.leaderEpoch);
        out.int64(time);
        out.noTags();
      });
      out.noTags();
    });
    out.noTags();
  },
  decode(input) {
    input.int32();
    const topics = input.array(() => {
      const topic = input.string();
      const partitions = input.array(() => {
        const partition = input.int32();
        const errorCode = input.int16();
        input.int64();
        const offset = input.safeInt64();
        input.int32();
        input.tags();
        return { topic, partition, errorCode, offset };
      });
      input.tags();
      return partitions;
    });
    return { partitions: topics.flat() };
  },
};
