import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordEncoder } from '../../../src/core/encoder.ts';
import type { SourceSettings } from '../../../src/core/settings.ts';
import type { Sink } from '../../../src/core/sink.ts';
import { Ticket } from '../../../src/core/ticket.ts';
import { EventPublisher } from '../../../src/pipeline/event-publisher.ts';
import { topicNames } from '../../../src/pipeline/topic-names.ts';
import { recordingMetrics } from '../kafka/sink-fixture.ts';

test('heartbeat records are an interval apart, also after the clock was set back', async () => {
  const sent: number[] = [];
  const settings = { topicPrefix: 'shop', heartbeatTopic: true, heartbeatIntervalMs: 1_000 } as SourceSettings;
  const encoder = {
    output: { bytes: Buffer.alloc(0), length: 0, reset: () => {} },
    prepareHeartbeat: async () => ({ writeKey: () => {}, writeValue: (timestampMs: number) => sent.push(timestampMs) }),
  } as unknown as RecordEncoder;
  const sink = { topic: async () => ({ append: () => true }) } as unknown as Sink;
  const events = new EventPublisher(settings, topicNames('shop'), encoder, sink, recordingMetrics(new Map()));
  await events.prepare(new AbortController().signal);
  const ticket = new Ticket(() => {});
  for (const nowMs of [100_000, 100_999, 101_000, 50_000, 50_500, 51_000]) events.heartbeat(nowMs, ticket);
  assert.deepEqual(sent, [100_000, 101_000, 50_000, 51_000]);
});
