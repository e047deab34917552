import { z } from 'zod';
import type { KafkaSettings, SaslSettings, TopicRule } from '../core/settings.ts';
import { byteSize, choice, duration, integer, list, pattern, refuse, secret, text } from './fields.ts';
import { tlsSchema } from './tls.ts';

const broker = text({
  kind: 'host:port of a broker, such as 127.0.0.1:9092',
  pattern: /^(\[[0-9a-fA-F:.]+\]|[^\s:/@[\]]+):([1-9]\d{0,4})$/,
});

const saslSchema = z
  .strictObject({
    mechanism: choice(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer']).meta({
      description: 'How the daemon proves who it is.',
    }),
    username: text().optional().meta({ description: 'For `plain` and `scram-…`.' }),
    password: secret().optional().meta({ description: 'For `plain` and `scram-…`.' }),
    token: secret().optional().meta({ description: 'For `oauthbearer`: the bearer token.' }),
  })
  .transform((sasl, ctx): SaslSettings => {
    const { mechanism, username, password, token } = sasl;
    const needs = (name: string) => refuse(ctx, `is required by ${mechanism}`, 'Set it.', [name]);
    const contradicts = (name: string) =>
      refuse(ctx, `contradicts mechanism ${mechanism}`, 'Remove one of the two.', [name]);
    if (mechanism === 'oauthbearer') {
      if (username !== undefined) contradicts('username');
      if (password !== undefined) contradicts('password');
      return token === undefined ? needs('token') : { mechanism, token };
    }
    if (token !== undefined) contradicts('token');
    if (username === undefined) needs('username');
    if (password === undefined) needs('password');
    return username === undefined || password === undefined ? z.NEVER : { mechanism, username, password };
  });

const topicRuleSchema = z
  .strictObject({
    match: pattern('a topic name').meta({ description: 'Topics that this rule creates.' }),
    partitions: integer({ min: 1, max: 100_000 }).prefault(1).meta({ description: 'Number of partitions.' }),
    replication_factor: integer({ min: -1, max: 32_767, not: [0] })
      .prefault(-1)
      .meta({
        description: 'Copies of each partition; -1 is the broker’s default.',
      }),
    config: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()], { error: 'is neither text nor a number' }))
      .prefault({})
      .meta({ description: 'Topic configuration by its Kafka names, such as `cleanup.policy`.' }),
  })
  .transform(
    (rule): TopicRule => ({
      match: rule.match,
      partitions: rule.partitions,
      replicationFactor: rule.replication_factor,
      config: Object.fromEntries(Object.entries(rule.config).map(([name, value]) => [name, String(value)])),
    }),
  );

/** What a topic gets that no rule matches. */
const LAST_RULE = { match: /^(?:.*)$/u, partitions: 1, replicationFactor: -1, config: {} };

export const kafkaSchema = z
  .strictObject({
    brokers: list(broker, { min: 1, commas: true }).meta({
      description: 'Brokers to ask for the rest of the cluster: a list, or text with commas.',
    }),
    tls: tlsSchema.optional().meta({ description: 'TLS towards the brokers; off when missing.' }),
    sasl: saslSchema.optional().meta({ description: 'Authentication; none when missing.' }),
    compression: choice(['none', 'gzip', 'snappy', 'lz4', 'zstd']).prefault('zstd').meta({
      description: 'Compression of record batches.',
    }),
    max_in_flight_bytes: byteSize({ min: 2 ** 20, max: 2 ** 40, kind: 'of at least 1MiB' })
      .prefault('32MiB')
      .meta({
        description:
          'The daemon’s budget for bytes sent and not yet acknowledged, over all sources: a share for each and a common pool. Sources are read no faster than this lets through.',
      }),
    delivery_timeout: duration({ minMs: 1000, maxMs: 3_600_000, kind: 'from 1s to 1h' }).prefault('2m').meta({
      description:
        'How long a record may wait for its acknowledgement before its source starts again from the checkpoint.',
    }),
    request_timeout: duration({ minMs: 100, maxMs: 600_000, kind: 'from 100ms to 10m' }).prefault('30s').meta({
      description: 'How long one request to a broker may take.',
    }),
    topics: list(topicRuleSchema).prefault([]).meta({
      description:
        'How topics are created; the first rule that matches wins. A topic that none matches gets one partition and the broker’s replication factor.',
    }),
  })
  .transform((kafka, ctx): KafkaSettings => {
    if (kafka.request_timeout > kafka.delivery_timeout) {
      refuse(ctx, 'is longer than delivery_timeout', 'Make it shorter than delivery_timeout.', ['request_timeout']);
    }
    return {
      brokers: kafka.brokers,
      tls: kafka.tls ?? null,
      sasl: kafka.sasl ?? null,
      compression: kafka.compression,
      maxInFlightBytes: kafka.max_in_flight_bytes,
      deliveryTimeoutMs: kafka.delivery_timeout,
      requestTimeoutMs: kafka.request_timeout,
      topics: [...kafka.topics, LAST_RULE],
    };
  });
