import type { Api } from './api.ts';

export interface FindCoordinatorResponse {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

const KEY_TYPE_TRANSACTION = 1;

/** Which broker coordinates the transactions of a transactional id. */
export const findCoordinator: Api<{ readonly transactionalId: string }, FindCoordinatorResponse> = {
  name: 'FindCoordinator',
  key: 10,
  minVersion: 3,
  maxVersion: 4,
  flexible: true,
  encode(out, request, version) {
    if (version < 4) out.string(request.transactionalId);
    out.int8(KEY_TYPE_TRANSACTION);
    if (version >= 4) out.array([request.transactionalId], (id) => out.string(id));
    out.noTags();
  },
  decode(input, version) {
    input.int32();
    if (version < 4) {
      const errorCode = input.int16();
      const errorMessage = input.nullableString();
      return { errorCode, errorMessage, nodeId: input.int32(), host: input.string(), port: input.int32() };
    }
    const [coordinator] = input.array(() => {
      input.string();
      const node = { nodeId: input.int32(), host: input.string(), port: input.int32() };
      const answer = { ...node, errorCode: input.int16(), errorMessage: input.nullableString() };
      input.tags();
      return answer;
    });
    // An answer about no key at all: the code for "not found", so that it is asked again.
    return coordinator ?? { errorCode: 15, errorMessage: null, nodeId: -1, host: '', port: 0 };
  },
};
