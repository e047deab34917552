import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import type { KafkaSettings, SaslSettings, TlsSettings } from '../../../src/core/settings.ts';
import { checkKafka } from '../../../src/kafka/check-kafka.ts';
import { Connections } from '../../../src/kafka/connections.ts';
import { metadata } from '../../../src/kafka/protocol/metadata.ts';
import { SystemClock } from '../../../src/observability/system-clock.ts';
import { assertRefused, type Refusal } from '../../support/assert-refused.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { type Certificate, CertificateAuthority } from '../../support/certificate.ts';
import { kafkaSettings } from '../../support/kafka-settings.ts';
import { KAFKA_USER, SESSION_MS, type SecureKafka, startSecureKafka } from '../../support/secure-kafka.ts';

const DEADLINE_MS = 60_000;
const authority = new CertificateAuthority('authority of the brokers');
const stranger = new CertificateAuthority('authority of somebody else');
const VERIFIED: TlsSettings = { ca: authority.cert, cert: null, key: null, verifyHostname: true };

let kafka: SecureKafka;
before(async () => {
  kafka = await startSecureKafka(authority);
});
after(() => kafka?.[Symbol.asyncDispose]());

type Security = Partial<Pick<KafkaSettings, 'tls' | 'sasl'>>;

function settingsFor(listener: string | null, security: Security): KafkaSettings {
  const address = listener === null ? kafka.service.url : kafka.at(listener);
  return kafkaSettings({ brokers: [address], requestTimeoutMs: 20_000, ...security });
}

/** Resolves where the cluster answers a question that needs TLS and authentication. */
async function ask(listener: string | null, security: Security): Promise<void> {
  await checkKafka(settingsFor(listener, security), new SystemClock(), AbortSignal.timeout(DEADLINE_MS));
}

const refused = (name: string, listener: string | null, security: Security, expected: Refusal) =>
  assertRefused(ask(listener, security), expected, name);

const ownedBy = ({ cert, key }: Certificate): TlsSettings => ({ ...VERIFIED, cert, key: new Secret(key) });

function user(mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512', other: Partial<typeof KAFKA_USER> = {}) {
  const { username, password } = { ...KAFKA_USER, ...other };
  return { mechanism, username, password: new Secret(password) } satisfies SaslSettings;
}

const bearer = (token: string): SaslSettings => ({ mechanism: 'oauthbearer', token: new Secret(token) });

test('TLS, and each certificate that is not the right one', async () => {
  await ask('TLS', { tls: VERIFIED });
  const strange = { ...VERIFIED, ca: stranger.cert };
  for (const [name, tls] of [
    ['another authority', strange],
    ['those of the system', { ...VERIFIED, ca: null }],
  ] as const) {
    const expected = {
      code: 'KAFKA_TLS_REFUSED',
      message: /not signed by an authority/,
      remedy: /kafka\.tls\.ca_file/,
    };
    await refused(name, 'TLS', { tls }, expected);
  }
  await refused(
    'another name',
    'ELSEWHERE',
    { tls: VERIFIED },
    {
      code: 'KAFKA_TLS_REFUSED',
      message: /127\.0\.0\.1 is not in “DNS:broker\.example”/,
      remedy: /a name that is in the certificate/,
    },
  );
  await ask('ELSEWHERE', { tls: { ...VERIFIED, verifyHostname: false } });
  for (const verifyHostname of [true, false]) {
    const expected = { code: 'KAFKA_TLS_REFUSED', message: /has expired/, remedy: /Renew/ };
    await refused('expired', 'EXPIRED', { tls: { ...VERIFIED, verifyHostname } }, expected);
  }
});

test('a client certificate', async () => {
  await ask('MUTUAL', { tls: ownedBy(authority.client('cdc')) });
  const expected = { code: 'KAFKA_TLS_REFUSED', message: /client certificate/, remedy: /kafka\.tls\.cert_file/ };
  await refused('none', 'MUTUAL', { tls: VERIFIED }, expected);
  await refused('of another authority', 'MUTUAL', { tls: ownedBy(stranger.client('cdc')) }, expected);
  await refused('expired', 'MUTUAL', { tls: ownedBy(authority.expired('cdc')) }, expected);
});

test('a listener of another kind than the settings say', async () => {
  const lost = { code: 'KAFKA_CONNECTION_LOST', errorClass: 'transient' };
  const unreachable = { code: 'KAFKA_UNREACHABLE', errorClass: 'transient' };
  await refused('plain text to TLS', 'TLS', {}, { code: 'KAFKA_TLS_EXPECTED', remedy: /Set kafka\.tls/ });
  await refused(
    'TLS to plain text',
    null,
    { tls: VERIFIED },
    {
      ...unreachable,
      message: /during the TLS handshake/,
      remedy: /the listener has no TLS/,
    },
  );
  const silent = { ...lost, message: /at the first request/, remedy: /set kafka\.sasl/ };
  await refused('nobody to SASL', 'SASL', {}, silent);
  await refused('nobody to SASL over TLS', 'SASL_TLS', { tls: VERIFIED }, silent);
  await refused('SASL in plain text to TLS', 'SASL_TLS', { sasl: user('plain') }, { code: 'KAFKA_TLS_EXPECTED' });
  const none = { code: 'KAFKA_ILLEGAL_SASL_STATE', message: /no SASL at all/, remedy: /Remove kafka\.sasl/ };
  await refused('SASL to a listener without', null, { sasl: user('plain') }, none);
});

for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
  test(`SASL ${mechanism}, with TLS and without`, async () => {
    for (const [listener, tls] of [
      ['SASL', null],
      ['SASL_TLS', VERIFIED],
    ] as const) {
      await ask(listener, { tls, sasl: user(mechanism) });
      for (const other of [{ password: 'wrong' }, { username: 'nobody' }] as unknown as Partial<typeof KAFKA_USER>[]) {
        await refused(
          JSON.stringify(other),
          listener,
          { tls, sasl: user(mechanism, other) },
          {
            code: 'KAFKA_SASL_AUTHENTICATION_FAILED',
            message: new RegExp(mechanism, 'i'),
            remedy: /kafka\.sasl/,
          },
        );
      }
    }
  });
}

test('SASL oauthbearer', async () => {
  await ask('SASL_TLS', { tls: VERIFIED, sasl: bearer(kafka.token(60_000)) });
  const expected = { code: 'KAFKA_SASL_AUTHENTICATION_FAILED', message: /OAUTHBEARER/, remedy: /kafka\.sasl\.token/ };
  await refused('expired', 'SASL_TLS', { tls: VERIFIED, sasl: bearer(kafka.token(-60_000)) }, expected);
  await refused('none', 'SASL_TLS', { tls: VERIFIED, sasl: bearer('no.to.ken') }, expected);
});

test('a connection is authenticated again before its session ends, and nobody notices', async () => {
  const { signal } = new AbortController();
  const settings = settingsFor('SASL_TLS', { tls: VERIFIED, sasl: user('scram-sha-512') });
  await using connections = new Connections(settings, 'test');
  const used = new Set<unknown>();
  const isAnswered = async () => {
    const connection = await connections.any(signal);
    used.add(connection);
    // The broker ends a session that is over at the next request.
    failure = await connection.request(metadata, { topics: [] }).then(
      () => null,
      (error: unknown) => error,
    );
    return failure !== null || used.size === 3;
  };
  let failure: unknown = null;
  await awaitUntil('two sessions are over', isAnswered, { timeoutMs: 20 * SESSION_MS, intervalMs: 50 });
  assert.equal(failure, null);
});
