import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { RegistryClient } from '../../../src/avro/registry-client.ts';
import { SchemaIds } from '../../../src/avro/schema-ids.ts';
import { avroSchemaText } from '../../../src/avro/schema-text.ts';
import { IncompatibleSchemaError } from '../../../src/core/incompatible-schema-error.ts';
import type { Metrics } from '../../../src/core/metrics.ts';
import type { RegistrySettings } from '../../../src/core/settings.ts';
import { SystemClock } from '../../../src/observability/system-clock.ts';
import { recordedSchemas } from '../../support/debezium-fixtures.ts';
import { readAvroSchema } from '../../support/read-avro-schema.ts';
import { registryUrl } from '../../support/services.ts';
import { uniqueName } from '../../support/unique-name.ts';
import { MemoryKnownIds, SILENT_LOGGER } from '../../unit/avro/fake-registry.ts';

const { signal } = new AbortController();
const url = registryUrl();
const prefix = uniqueName('registry');
const NO_METRICS = { counter: () => ({ bind: () => ({ add: () => {} }) }) } as unknown as Metrics;
const used = new Set<string>();

async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    signal: AbortSignal.timeout(30_000),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return await response.json();
}

/** Registers as any other producer would: by hand, not through the code under test. */
async function registerByHand(subject: string, schema: string): Promise<number> {
  used.add(subject);
  return ((await ask('POST', `/subjects/${subject}/versions`, { schema })) as { id: number }).id;
}

function open(onIncompatible: RegistrySettings['onIncompatible'] = 'fail') {
  const settings: RegistrySettings = {
    urls: [url],
    auth: { kind: 'none' },
    tls: null,
    requestTimeoutMs: 10_000,
    onIncompatible,
    subjectNaming: 'topic_name',
  };
  const registry = new RegistryClient(settings, NO_METRICS);
  const dependencies = { registry, knownIds: new MemoryKnownIds(), logger: SILENT_LOGGER, clock: new SystemClock() };
  const ids = new SchemaIds(dependencies);
  return { registry, ids, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() };
}

function schemaWith(...fields: string[]): string {
  return JSON.stringify({ type: 'record', name: 'R', fields: fields.map((name) => ({ name, type: 'int' })) });
}

describe('a real schema registry', () => {
  after(async () => {
    for (const subject of used) await ask('DELETE', `/subjects/${subject}`);
  });

  it('that holds Debezium’s schemas gives their ids and no new version', async () => {
    await using opened = open();
    // This registry refuses a namespace of which a part begins with a digit, which Debezium leaves as it is ("1table").
    const samples = recordedSchemas()
      .filter(({ subject }) => /^(pg_default|pg_names|my_props)\./.test(subject))
      .filter(({ subject }) => !subject.includes('.1table'));
    assert.ok(samples.length > 100);
    const versions = new Map<string, number[]>();
    for (const { subject, schema } of samples) {
      const own = `${prefix}.${subject}`;
      const id = await registerByHand(own, schema);
      versions.set(own, (await ask('GET', `/subjects/${own}/versions`)) as number[]);
      assert.equal(await opened.ids.idOf(own, avroSchemaText(readAvroSchema(schema)), signal), id, subject);
    }
    for (const { subject } of samples) {
      const own = `${prefix}.${subject}`;
      const recorded = samples.filter((sample) => sample.subject === subject).length;
      assert.equal(((await ask('GET', `/subjects/${own}/versions`)) as number[]).length, recorded, subject);
    }
  });

  it('takes a new subject, and a compatible change of it', async () => {
    await using opened = open();
    const subject = `${prefix}-new`;
    used.add(subject);
    const first = await opened.ids.idOf(subject, schemaWith('a'), signal);
    await ask('PUT', `/config/${subject}`, { compatibility: 'BACKWARD' });
    const second = await opened.ids.idOf(subject, schemaWith(), signal);
    assert.notEqual(first, second);
    assert.deepEqual(await ask('GET', `/subjects/${subject}/versions`), [1, 2]);
  });

  it('refuses an incompatible change, which leaves no version and the level as it was', async () => {
    await using opened = open();
    const subject = `${prefix}-refused`;
    await registerByHand(subject, schemaWith('a'));
    await ask('PUT', `/config/${subject}`, { compatibility: 'BACKWARD' });
    await assert.rejects(
      opened.ids.idOf(subject, schemaWith('a', 'added'), signal),
      (error: IncompatibleSchemaError) => {
        assert.ok(error instanceof IncompatibleSchemaError);
        assert.match(error.message, /added/);
        return true;
      },
    );
    assert.deepEqual(await ask('GET', `/subjects/${subject}/versions`), [1]);
    assert.equal(await opened.registry.subjectCompatibility(subject, signal), 'BACKWARD');
  });

  it('takes an incompatible change by register_anyway, and keeps its level', async () => {
    await using opened = open('register_anyway');
    const subject = `${prefix}-anyway`;
    await registerByHand(subject, schemaWith('a'));
    await ask('PUT', `/config/${subject}`, { compatibility: 'BACKWARD' });
    const id = await opened.ids.idOf(subject, schemaWith('a', 'added'), signal);
    assert.deepEqual(await ask('GET', `/subjects/${subject}/versions`), [1, 2]);
    assert.equal(await opened.registry.lookUp(subject, schemaWith('a', 'added'), signal), id);
    assert.equal(await opened.registry.subjectCompatibility(subject, signal), 'BACKWARD');
  });
});
