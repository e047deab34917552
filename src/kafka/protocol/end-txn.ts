import type { Api } from './api.ts';

export interface EndTxnRequest {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly commit: boolean;
}

/**
 * Ends a transaction. Up to version 4 the epoch stays, and the same request may be sent again after a lost answer: the
 * coordinator repeats the answer. (From 5 on every end gives the producer another epoch.)
 */
export const endTxn: Api<EndTxnRequest, { readonly errorCode: number }> = {
  name: 'EndTxn',
  key: 26,
  minVersion: 3,
  maxVersion: 4,
  flexible: true,
  encode(out, request) {
    out.string(request.transactionalId);
    out.int64(request.producerId);
    out.int16(request.producerEpoch);
    out.boolean(request.commit);
    out.noTags();
  },
  decode(input) {
    input.int32();
    return { errorCode: input.int16() };
  },
};
