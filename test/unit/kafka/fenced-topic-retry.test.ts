import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigurationError, OwnershipLostError, TransientError } from '../../../src/core/errors.ts';
import { BrokerAnswerError, persistently } from '../../../src/kafka/fenced-topic-retry.ts';

const NOT_COORDINATOR = 16;
const CONCURRENT_TRANSACTIONS = 51;
const TOPIC_AUTHORIZATION_FAILED = 29;

function persistence(overrides: { timeoutMs?: number; signal?: AbortSignal } = {}) {
  let relocations = 0;
  return {
    signal: overrides.signal ?? new AbortController().signal,
    deadlineMs: performance.now() + (overrides.timeoutMs ?? 5_000),
    source: 'shop',
    relocate: () => {
      relocations += 1;
    },
    get relocations() {
      return relocations;
    },
  };
}

function failing(...failures: unknown[]): () => Promise<string> {
  return async () => {
    if (failures.length > 0) throw failures.shift();
    return 'done';
  };
}

const lost = () => new TransientError('lost', { code: 'LOST', remedy: '-' });

describe('persistently', () => {
  it('repeats what a broker refuses for now, and looks for another broker', async () => {
    const options = persistence();
    assert.equal(await persistently(options, failing(new BrokerAnswerError(NOT_COORDINATOR, 'x'), lost())), 'done');
    assert.equal(options.relocations, 2);
  });

  it('stays with the broker while it only finishes the transaction before', async () => {
    const options = persistence();
    const busy = new BrokerAnswerError(CONCURRENT_TRANSACTIONS, 'x');
    assert.equal(await persistently(options, failing(busy, busy, busy)), 'done');
    assert.equal(options.relocations, 0);
  });

  it('does not repeat what will not go away', async () => {
    for (const failure of [
      new OwnershipLostError('taken over', { code: 'X', remedy: '-' }),
      new TypeError('a fault of ours'),
    ]) {
      await assert.rejects(persistently(persistence(), failing(failure)), failure);
    }
    const denied = failing(new BrokerAnswerError(TOPIC_AUTHORIZATION_FAILED, 'writing to topic t'));
    await assert.rejects(persistently(persistence(), denied), (error) => {
      assert.ok(error instanceof ConfigurationError);
      assert.match(error.message, /TOPIC_AUTHORIZATION_FAILED.*writing to topic t/);
      return true;
    });
  });

  it('gives up at the deadline and says what the last failure was', async () => {
    const endless = async () => {
      throw new BrokerAnswerError(NOT_COORDINATOR, 'asking');
    };
    await assert.rejects(persistently(persistence({ timeoutMs: 40 }), endless), (error) => {
      assert.ok(error instanceof TransientError);
      assert.equal(error.code, 'CHECKPOINT_TOPIC_TIMEOUT');
      assert.match(error.message, /NOT_COORDINATOR/);
      return true;
    });
  });

  it('ends with the reason of its signal, also while it pauses', async () => {
    const stop = new AbortController();
    const reason = new Error('asked to stop');
    const attempt = async () => {
      stop.abort(reason);
      throw lost();
    };
    await assert.rejects(persistently(persistence({ signal: stop.signal }), attempt), reason);
    await assert.rejects(persistently(persistence({ signal: stop.signal }), failing()), reason);
  });
});
