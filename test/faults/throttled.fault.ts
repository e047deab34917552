import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admin } from '@platformatic/kafka';
import { underLoad } from '../support/faulted-load.ts';
import { startOwnKafka } from '../support/own-kafka.ts';
import { kafkaBrokers } from '../support/services.ts';
import { uniqueName } from '../support/unique-name.ts';

const BYTES_PER_SECOND = 20_000;
const THROTTLED_CHANGES = 300;

test('a broker that throttles is obeyed: the source falls behind, loses and repeats nothing, and catches up', {
  timeout: 400_000,
}, async () => {
  await using _kafka = await startOwnKafka({ brokers: 1 });
  const verdict = await underLoad({ kafka: { compression: 'none', max_in_flight_bytes: '1MiB' } }, async (load) => {
    await setQuota(BYTES_PER_SECOND);
    const { workload, daemon } = load;
    await daemon.until(
      'the source falls behind',
      workload.whileWriting(async () => (await load.metric('tailrace_lag_seconds')) > 5),
      120_000,
    );
    await load.published(THROTTLED_CHANGES);
    assert.equal((await daemon.get('/readyz')).status, 200, 'being slow is no failure');
    await setQuota(null);
    await load.published(THROTTLED_CHANGES);
    assert.equal(await load.metric('tailrace_restarts_total'), 0);
  });
  assert.equal(verdict.duplicates, 0);
});

/** Of every client, as an operator would set it with kafka-configs; null removes it. */
async function setQuota(bytesPerSecond: number | null): Promise<void> {
  const admin = new Admin({ clientId: uniqueName('quota'), bootstrapBrokers: kafkaBrokers() });
  try {
    await admin.alterClientQuotas({
      entries: [
        {
          entities: [{ entityType: 'client-id', entityName: null }],
          ops: [
            bytesPerSecond === null
              ? { key: 'producer_byte_rate', remove: true }
              : { key: 'producer_byte_rate', value: bytesPerSecond, remove: false },
          ],
        },
      ],
      validateOnly: false,
    });
  } finally {
    await admin.close();
  }
}
