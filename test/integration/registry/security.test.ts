import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, test } from 'node:test';
import { explainRefusal } from '../../../src/app/registry-refusal.ts';
import { RegistryClient } from '../../../src/avro/registry-client.ts';
import { RegistryRefusal } from '../../../src/avro/registry-errors.ts';
import { SchemaIds } from '../../../src/avro/schema-ids.ts';
import type { Metrics } from '../../../src/core/metrics.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { RegistrySettings, TlsSettings } from '../../../src/core/settings.ts';
import { SystemClock } from '../../../src/observability/system-clock.ts';
import { assertRefused, type Refusal } from '../../support/assert-refused.ts';
import { type Certificate, CertificateAuthority } from '../../support/certificate.ts';
import { openRegistryGate } from '../../support/registry-gate.ts';
import { registryUrl } from '../../support/services.ts';
import { MemoryKnownIds, SILENT_LOGGER } from '../../unit/avro/fake-registry.ts';

const NO_METRICS = { counter: () => ({ bind: () => ({ add: () => {} }) }) } as unknown as Metrics;
const DEADLINE_MS = 20_000;
const authority = new CertificateAuthority('authority of the registry');
const stranger = new CertificateAuthority('authority of somebody else');
const right = authority.server('localhost', '127.0.0.1');
const VERIFIED: TlsSettings = { ca: authority.cert, cert: null, key: null, verifyHostname: true };
const ownedBy = ({ cert, key }: Certificate): TlsSettings => ({ ...VERIFIED, cert, key: new Secret(key) });

/** Asks the registry a question; a refusal as the daemon's commands tell it. */
async function ask(url: string | readonly string[], given: Partial<RegistrySettings> = {}): Promise<void> {
  const settings: RegistrySettings = {
    urls: [url].flat(),
    auth: { kind: 'none' },
    tls: VERIFIED,
    requestTimeoutMs: 10_000,
    onIncompatible: 'fail',
    subjectNaming: 'topic_name',
    ...given,
  };
  await using registry = new RegistryClient(settings, NO_METRICS);
  try {
    assert.equal(typeof (await registry.globalCompatibility(AbortSignal.timeout(DEADLINE_MS))), 'string');
  } catch (error) {
    throw error instanceof RegistryRefusal ? explainRefusal(error, settings) : error;
  }
}

describe('TLS towards the registry', () => {
  const refusedWith = async (name: string, certificate: Certificate, tls: TlsSettings, expected: Refusal) => {
    await using gate = await openRegistryGate(registryUrl(), certificate, null);
    await assertRefused(ask(gate.url, { tls }), expected, name);
    assert.equal(gate.passed, 0);
  };

  test('the right certificate', async () => {
    await using gate = await openRegistryGate(registryUrl(), right, null);
    await ask(gate.url);
    await ask(gate.url.replace('127.0.0.1', 'localhost'));
    assert.equal(gate.passed, 2);
  });

  test('each certificate that is not the right one', async () => {
    const untrusted = {
      code: 'REGISTRY_TLS',
      message: /not signed by an authority/,
      remedy: /schema_registry\.tls\.ca_file/,
    };
    await refusedWith('another authority', right, { ...VERIFIED, ca: stranger.cert }, untrusted);
    await refusedWith('those of the system', right, { ...VERIFIED, ca: null }, untrusted);
    const elsewhere = authority.server('registry.example');
    await refusedWith('another name', elsewhere, VERIFIED, {
      code: 'REGISTRY_TLS',
      message: /“DNS:registry\.example”/,
    });
    const expired = authority.expired('127.0.0.1');
    await refusedWith('expired', expired, VERIFIED, { code: 'REGISTRY_TLS', message: /expired/, remedy: /Renew/ });
    await using gate = await openRegistryGate(registryUrl(), elsewhere, null);
    await ask(gate.url, { tls: { ...VERIFIED, verifyHostname: false } });
  });

  test('a client certificate', async () => {
    const options = { ...right, ca: authority.cert, requestCert: true };
    await using gate = await openRegistryGate(registryUrl(), options, null);
    await ask(gate.url, { tls: ownedBy(authority.client('cdc')) });
    assert.equal(gate.passed, 1);
    const expected = { code: 'REGISTRY_TLS', message: /client certificate/, remedy: /schema_registry\.tls\.cert_file/ };
    await assertRefused(ask(gate.url), expected, 'none');
    assert.equal(gate.passed, 1);
  });

  test('an address of the other kind', async () => {
    await using gate = await openRegistryGate(registryUrl(), right, null);
    // Node's server hangs up on what is not TLS.
    const lost = { code: 'REGISTRY_UNREACHABLE', errorClass: 'transient', remedy: /https:\/\// };
    await assertRefused(ask(gate.url.replace('https:', 'http:'), { tls: null }), lost, 'http to https');
    // Others say so in TLS: a fatal alert, protocol_version.
    const alerting = createServer((socket) => socket.on('error', () => {}).end(Buffer.from('15030300020246', 'hex')));
    await once(alerting.listen(0, '127.0.0.1'), 'listening');
    const { port } = alerting.address() as AddressInfo;
    try {
      const notHttp = { code: 'REGISTRY_NOT_HTTP', remedy: /https:\/\// };
      await assertRefused(ask(`http://127.0.0.1:${port}`, { tls: null }), notHttp, 'http to TLS');
    } finally {
      alerting.close();
    }
    const secure = ask(registryUrl().replace('http:', 'https:'));
    const expected = { code: 'REGISTRY_TLS', message: /does not answer with TLS/, remedy: /port/ };
    await assertRefused(secure, expected, 'https to http');
  });

  test('one address that works is enough, and one that may come back is waited for', async () => {
    await using broken = await openRegistryGate(registryUrl(), authority.expired('127.0.0.1'), null);
    await using gate = await openRegistryGate(registryUrl(), right, null);
    await ask([broken.url, gate.url]);
    const down = 'https://127.0.0.1:1';
    const expected = {
      code: 'REGISTRY_UNREACHABLE',
      errorClass: 'transient',
      message: /CERT_HAS_EXPIRED.*ECONNREFUSED/,
    };
    await assertRefused(ask([broken.url, down]), expected, 'one down');
  });
});

describe('authentication at the registry', () => {
  const basic = (username: string, password: string): RegistrySettings['auth'] => ({
    kind: 'basic',
    username,
    password: new Secret(password),
  });
  const bearer = (token: string): RegistrySettings['auth'] => ({ kind: 'bearer', token: new Secret(token) });
  const refusal = { code: 'REGISTRY_AUTHORIZATION', message: /HTTP 401/, remedy: /schema_registry\.auth/ };

  test('basic', async () => {
    const header = `Basic ${Buffer.from('cdc:päss:word').toString('base64')}`;
    await using gate = await openRegistryGate(registryUrl(), right, header);
    await ask(gate.url, { auth: basic('cdc', 'päss:word') });
    for (const auth of [basic('cdc', 'wrong'), basic('other', 'päss:word'), bearer('t')]) {
      await assertRefused(ask(gate.url, { auth }), refusal, auth.kind);
    }
    await assertRefused(ask(gate.url), { ...refusal, remedy: /none is set/ }, 'none');
    assert.equal(gate.passed, 1);
  });

  test('bearer', async () => {
    await using gate = await openRegistryGate(registryUrl(), right, 'Bearer the-token');
    await ask(gate.url, { auth: bearer('the-token') });
    for (const auth of [bearer('another'), basic('cdc', 'p')]) {
      await assertRefused(ask(gate.url, { auth }), refusal, auth.kind);
    }
    assert.equal(gate.passed, 1);
  });
});

test('a schema id that is known from before does not need a registry whose certificate has expired', async () => {
  const subject = 'known-value';
  const schema = '"int"';
  const settings = (url: string): RegistrySettings => ({
    urls: [url],
    auth: { kind: 'none' },
    tls: VERIFIED,
    requestTimeoutMs: 10_000,
    onIncompatible: 'fail',
    subjectNaming: 'topic_name',
  });
  await using gate = await openRegistryGate(registryUrl(), authority.expired('127.0.0.1'), null);
  await using registry = new RegistryClient(settings(gate.url), NO_METRICS);
  const knownIds = new MemoryKnownIds();
  const idsOf = () => new SchemaIds({ registry, knownIds, logger: SILENT_LOGGER, clock: new SystemClock() });
  const { signal } = new AbortController();
  await assertRefused(idsOf().idOf(subject, schema, signal), { code: 'REGISTRY_TLS' }, 'unknown');
  knownIds.get = () => 7;
  assert.equal(await idsOf().idOf(subject, schema, signal), 7);
});
