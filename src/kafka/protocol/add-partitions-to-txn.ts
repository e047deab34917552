import type { Api } from './api.ts';

export interface AddPartitionsToTxnRequest {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly topic: string;
  readonly partition: number;
}

/** Opens a transaction with one partition in it. Version 3 only: from 4 on it is an API between brokers (ClusterAction). */
export const addPartitionsToTxn: Api<AddPartitionsToTxnRequest, { readonly errorCode: number }> = {
  name: 'AddPartitionsToTxn',
  key: 24,
  minVersion: 3,
  maxVersion: 3,
  flexible: true,
  encode(out, request) {
    out.string(request.transactionalId);
    out.int64(request.producerId);
    out.int16(request.producerEpoch);
    out.array([request], ({ topic, partition }) => {
      out.string(topic);
      out.array([partition], (index) => out.int32(index));
      out.noTags();
    });
    out.noTags();
  },
  decode(input) {
    input.int32();
    const codes = input.array(() => {
      input.string();
      const partitions = input.array(() => {
        input.int32();
        const errorCode = input.int16();
        input.tags();
        return errorCode;
      });
      input.tags();
      return partitions;
    });
    input.tags();
    return { errorCode: codes.flat().find((code) => code !== 0) ?? 0 };
  },
};
