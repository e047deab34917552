import type { Api } from './api.ts';

export interface InitProducerIdRequest {
  readonly transactionalId: string | null;
  readonly transactionTimeoutMs: number;
}

export interface InitProducerIdResponse {
  readonly errorCode: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/**
 * Asks for a producer identity with id and epoch -1: a new identity, or for a transactional id a newer epoch that fences
 * every older owner. (0/0 would be answered PRODUCER_FENCED after a restart.)
 */
export const initProducerId: Api<InitProducerIdRequest, InitProducerIdResponse> = {
  name: 'InitProducerId',
  key: 22,
  minVersion: 3,
  maxVersion: 5,
  flexible: true,
  encode(out, request) {
    out.nullableString(request.transactionalId);
    out.int32(request.transactionTimeoutMs);
    out.int64(-1n);
    out.int16(-1);
    out.noTags();
  },
  decode(input) {
    input.int32();
    return { errorCode: input.int16(), producerId: input.int64(), producerEpoch: input.int16() };
  },
};
